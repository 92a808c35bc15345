/* A frame goes from fields to samples and back: encoded, sent as 600 bit/s with a little noise, received. So short that
 * what watches every byte has the whole way of a burst to look at. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nap.h>

#include "check.h"

enum { SAMPLE_RATE_HZ = 12000, BIT_RATE_HZ = 600, SAMPLES_PER_BIT = SAMPLE_RATE_HZ / BIT_RATE_HZ };
enum { BEGIN = SAMPLE_RATE_HZ, SAMPLES = 2 * SAMPLE_RATE_HZ };

static const double OFFSET_HZ = 1234, AMPLITUDE = 0.2, NOISE = 0.05, PI = 3.14159265358979;
static const uint8_t KEY[NAP_KEY_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const NapUplink SENT = {.device_id = 0xFEDCBA98, .kind = NAP_KIND_BYTES, .sequence_number = 0x123,
                               .payload_length = 3, .payload = {0x40, 0x41, 0x42}};

static float noise(void) {
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(NOISE * ((double)(state >> 8) / (1 << 23) - 1));
}

/* The phase is turned by half a turn where a bit is 0. */
static void send(const uint8_t *bitstream, size_t length, float *iq) {
    double sign = 1;
    for (size_t n = 0; n < SAMPLES; n++) {
        iq[2 * n] = noise();
        iq[2 * n + 1] = noise();
    }
    /* The symbol that the first bit is told from comes before it. */
    for (size_t symbol = 0; symbol <= 8 * length; symbol++) {
        size_t bit = symbol - 1;
        if (symbol > 0 && (bitstream[bit / 8] >> (7 - bit % 8) & 1) == 0) {
            sign = -sign;
        }
        for (size_t n = 0; n < SAMPLES_PER_BIT; n++) {
            size_t at = BEGIN + symbol * SAMPLES_PER_BIT + n;
            double phase = 2 * PI * OFFSET_HZ * (double)at / SAMPLE_RATE_HZ;
            iq[2 * at] += (float)(AMPLITUDE * sign * cos(phase));
            iq[2 * at + 1] += (float)(AMPLITUDE * sign * sin(phase));
        }
    }
}

static void check_message(NapReceiver *receiver) {
    NapEvent event;
    NapEventType expected[] = {NAP_EVENT_TYPE_MESSAGE, NAP_EVENT_TYPE_COMPLETE};
    for (int n = 0; n < 2; n++) {
        CHECK(nap_receiver_poll(receiver, &event, sizeof event) == NAP_STATUS_OK);
        CHECK(event.event_type == expected[n]);
        CHECK(memcmp(&event.uplink, &SENT, sizeof SENT) == 0);
        CHECK(event.authentication == NAP_AUTHENTICATION_VERIFIED);
        CHECK(event.bit_rate == BIT_RATE_HZ && event.frame_count == 1 && event.frames[0].rank == 1);
        CHECK(fabs(event.signal.frequency_hz - OFFSET_HZ) < 2);
        CHECK(fabs(event.signal.time_s - (double)BEGIN / SAMPLE_RATE_HZ) < 0.5 / BIT_RATE_HZ);
        CHECK(fabs(event.signal.level_db - 20 * log10(AMPLITUDE)) < 0.5);
    }
    CHECK(nap_receiver_poll(receiver, &event, sizeof event) == NAP_STATUS_NO_EVENT);
}

int main(void) {
    static float iq[2 * SAMPLES];
    uint8_t bitstream[NAP_MAX_FRAME_BYTES];
    size_t length;
    NapConfig config;
    NapReceiver *receiver;
    CHECK(nap_frame_encode(&SENT, KEY, 1, bitstream, sizeof bitstream, &length) == NAP_STATUS_OK);
    send(bitstream, length, iq);
    CHECK(nap_config_init(&config, sizeof config) == NAP_STATUS_OK);
    config.sample_rate_hz = SAMPLE_RATE_HZ;
    config.bit_rates = NAP_BIT_RATE_600;
    CHECK(nap_receiver_create(&config, &receiver) == NAP_STATUS_OK);
    CHECK(nap_receiver_add_device(receiver, SENT.device_id, KEY) == NAP_STATUS_OK);
    CHECK(nap_receiver_push_cf32(receiver, iq, SAMPLES) == NAP_STATUS_OK);
    CHECK(nap_receiver_flush(receiver) == NAP_STATUS_OK);
    check_message(receiver);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
    return 0;
}
