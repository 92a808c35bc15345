/* What a receiver takes of memory and stack. A thread with a painted stack makes it, pushes samples of 16 bits from the
 * standard input in blocks of 4096, and ends it.
 *
 *   measure SAMPLE_RATE_HZ CENTER_HZ [POOL_BYTES]
 *
 * With a pool, which has to be built in (-DNAP_POOL), it prints what that has given out. Each message is a line:
 *
 *   told TIME_S DEVICE SEQUENCE_NUMBER KIND PAYLOAD
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <nap.h>

#include "check.h"

enum { STACK_BYTES = 8 << 20, PAINT = 0xa5, SAMPLES_AT_ONCE = 4096, MAX_MESSAGES = 1 << 16 };

/* Messages are printed at the end: to print takes stack. */
struct message {
    double time_s;
    NapUplink uplink;
};
static struct message messages[MAX_MESSAGES];

struct stream {
    double sample_rate_hz;
    double center_hz;
    uint64_t pool_bytes;
    uint64_t samples;
    unsigned messages;
};

static void keep(const NapEvent *event, void *user_data) {
    struct stream *stream = user_data;
    if (event->event_type == NAP_EVENT_TYPE_COMPLETE) {
        CHECK(stream->messages < MAX_MESSAGES);
        messages[stream->messages++] = (struct message){event->signal.time_s, event->uplink};
    }
}

static void print_message(const struct message *message) {
    const NapUplink *uplink = &message->uplink;
    printf("told %.6f %08" PRIX32 " %u %s ", message->time_s, uplink->device_id, (unsigned)uplink->sequence_number,
           nap_kind_name(uplink->kind));
    for (int n = 0; n < uplink->payload_length; n++) {
        printf("%02x", (unsigned)uplink->payload[n]);
    }
    printf("\n");
}

/* What the pool has given out at most so far. */
static void print_pool(const struct stream *stream, const char *when) {
#ifdef NAP_POOL
    NapPool pool;
    if (stream->pool_bytes > 0) {
        CHECK(nap_pool_figures(&pool) == NAP_STATUS_OK);
        printf("%s: %.1f MB at most, %" PRIu64 " times the system was asked\n", when, 1e-6 * (double)pool.peak_bytes,
               pool.system_allocations);
    }
#else
    (void)when;
    CHECK(stream->pool_bytes == 0);
#endif
}

static void *receive(void *argument) {
    struct stream *stream = argument;
    static int16_t iq[2 * SAMPLES_AT_ONCE];
    NapConfig config;
    NapReceiver *receiver;
    size_t samples;
    CHECK(nap_config_init(&config, sizeof config) == NAP_STATUS_OK);
    config.sample_rate_hz = stream->sample_rate_hz;
    config.center_hz = stream->center_hz;
    CHECK(nap_receiver_create(&config, &receiver) == NAP_STATUS_OK);
    CHECK(nap_receiver_set_callback(receiver, keep, stream) == NAP_STATUS_OK);
    print_pool(stream, "made");
    while ((samples = fread(iq, 2 * sizeof *iq, SAMPLES_AT_ONCE, stdin)) > 0) {
        CHECK(nap_receiver_push_cs16(receiver, iq, samples) == NAP_STATUS_OK);
        stream->samples += samples;
    }
    CHECK(nap_receiver_flush(receiver) == NAP_STATUS_OK);
    print_pool(stream, "ended");
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
    return NULL;
}

/* Runs a thread and returns how much of its stack it has used. */
static size_t run(void *(*work)(void *), void *argument) {
    unsigned char *stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    CHECK(stack != MAP_FAILED);
    memset(stack, PAINT, STACK_BYTES);
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstack(&attributes, stack, STACK_BYTES) == 0);
    CHECK(pthread_create(&thread, &attributes, work, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    size_t untouched = 0;
    while (untouched < STACK_BYTES && stack[untouched] == PAINT) {
        untouched++;
    }
    return STACK_BYTES - untouched;
}

int main(int argc, char **argv) {
    CHECK(argc == 3 || argc == 4);
    struct stream stream = {atof(argv[1]), atof(argv[2]), argc == 4 ? strtoull(argv[3], NULL, 10) : 0, 0, 0};
#ifdef NAP_POOL
    CHECK(stream.pool_bytes == 0 || nap_pool_reserve((size_t)stream.pool_bytes) == NAP_STATUS_OK);
#endif
    size_t stack_bytes = run(receive, &stream);
    printf("stack: %zu bytes\n", stack_bytes);
    for (unsigned n = 0; n < stream.messages; n++) {
        print_message(&messages[n]);
    }
    printf("%.0f s of air, %u messages\n", (double)stream.samples / stream.sample_rate_hz, stream.messages);
    return 0;
}
