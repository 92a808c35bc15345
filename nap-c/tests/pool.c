/* With a pool, a receiver of a quiet channel asks the system for nothing once the pool is reserved. Prints the most
 * that it took. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <nap.h>

#include "check.h"

int main(void) {
    NapPool pool;
    CHECK(nap_pool_reserve(0) == NAP_STATUS_INVALID_ARGUMENT);
    CHECK(nap_pool_reserve((size_t)48 << 20) == NAP_STATUS_OK);
    CHECK(nap_pool_reserve(1000) == NAP_STATUS_INVALID_ARGUMENT);
    CHECK(nap_pool_figures(&pool) == NAP_STATUS_OK);
    CHECK(pool.reserved_bytes == 48u << 20 && pool.used_bytes == 0);
    NapConfig config;
    CHECK(nap_config_init(&config, sizeof config) == NAP_STATUS_OK);
    config.sample_rate_hz = 250000;
    NapReceiver *receiver = NULL;
    CHECK(nap_receiver_create(&config, &receiver) == NAP_STATUS_OK);
    static int16_t iq[2 * 4096];
    uint32_t state = 1;
    for (int block = 0; block < 600; block++) {
        for (int n = 0; n < 2 * 4096; n++) {
            state = state * 1664525u + 1013904223u;
            iq[n] = (int16_t)((int32_t)(state >> 20) - 2048);
        }
        CHECK(nap_receiver_push_cs16(receiver, iq, 4096) == NAP_STATUS_OK);
    }
    CHECK(nap_receiver_flush(receiver) == NAP_STATUS_OK);
    CHECK(nap_pool_figures(&pool) == NAP_STATUS_OK);
    CHECK(pool.used_bytes > 0 && pool.peak_bytes >= pool.used_bytes);
    CHECK(pool.system_allocations == 0);
    printf("%" PRIu64 "\n", pool.peak_bytes);
    uint64_t before = pool.used_bytes;
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
    CHECK(nap_pool_figures(&pool) == NAP_STATUS_OK);
    CHECK(pool.used_bytes < before / 100);
    CHECK(nap_pool_figures(NULL) == NAP_STATUS_NULL_POINTER);
    return 0;
}
