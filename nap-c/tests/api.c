/* What the calls promise, from C. Exits with 0 if all holds; the first promise that does not is printed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nap.h>

#include "check.h"

static const uint8_t KEY[NAP_KEY_BYTES] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                           0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

static NapConfig quiet_config(void) {
    NapConfig config;
    CHECK(nap_config_init(&config, sizeof config) == NAP_STATUS_OK);
    config.sample_rate_hz = 250000;
    config.center_hz = 868130000;
    return config;
}

static NapReceiver *create(const NapConfig *config) {
    NapReceiver *receiver = NULL;
    CHECK(nap_receiver_create(config, &receiver) == NAP_STATUS_OK);
    CHECK(receiver != NULL);
    return receiver;
}

static void versions_and_texts(void) {
    CHECK(nap_abi_version() == NAP_ABI_VERSION);
    CHECK(strlen(nap_version()) > 0);
    for (int status = -2; status < 60; status++) {
        CHECK(strlen(nap_status_text(status)) > 0);
    }
    CHECK(strcmp(nap_kind_name(NAP_KIND_BYTES), "bytes") == 0);
    CHECK(strcmp(nap_kind_name(99), "unknown") == 0);
    CHECK(strcmp(nap_undecoded_reason_text(NAP_UNDECODED_REASON_FAINT), "too faint") == 0);
    CHECK(strcmp(nap_undecoded_reason_text(-1), "another reason") == 0);
}

static void frames(void) {
    NapUplink uplink = {.device_id = 0xFEDCBA98, .kind = NAP_KIND_BYTES, .sequence_number = 0x123,
                        .payload_length = 2, .payload = {0x40, 0x41}};
    uint8_t bitstream[NAP_MAX_FRAME_BYTES];
    size_t length = 0;
    for (uint8_t rank = 1; rank <= 3; rank++) {
        CHECK(nap_frame_encode(&uplink, KEY, rank, bitstream, sizeof bitstream, &length) == NAP_STATUS_OK);
        NapFrame frame;
        CHECK(nap_frame_parse(bitstream, length, &frame) == NAP_STATUS_OK);
        CHECK(frame.rank == rank && memcmp(&frame.uplink, &uplink, sizeof uplink) == 0);
        NapAuthentication authentication = NAP_AUTHENTICATION_UNCHECKED;
        CHECK(nap_frame_authenticate(bitstream, length, KEY, &authentication) == NAP_STATUS_OK);
        CHECK(authentication == NAP_AUTHENTICATION_VERIFIED);
        uint8_t other[NAP_KEY_BYTES] = {0};
        CHECK(nap_frame_authenticate(bitstream, length, other, &authentication) == NAP_STATUS_OK);
        CHECK(authentication == NAP_AUTHENTICATION_FAILED);
    }
    NapFrame frame;
    CHECK(nap_frame_encode(&uplink, KEY, 1, bitstream, 3, &length) == NAP_STATUS_BUFFER_TOO_SMALL);
    CHECK(nap_frame_encode(&uplink, KEY, 4, bitstream, sizeof bitstream, &length) == NAP_STATUS_INVALID_ARGUMENT);
    CHECK(nap_frame_encode(&uplink, NULL, 1, bitstream, sizeof bitstream, &length) == NAP_STATUS_NULL_POINTER);
    CHECK(nap_frame_encode(&uplink, KEY, 1, bitstream, sizeof bitstream, &length) == NAP_STATUS_OK);
    CHECK(nap_frame_parse(NULL, 4, &frame) == NAP_STATUS_NULL_POINTER);
    CHECK(nap_frame_parse(bitstream, 0, &frame) == NAP_STATUS_FRAME_TOO_SHORT);
    CHECK(nap_frame_parse(bitstream, length - 1, &frame) == NAP_STATUS_FRAME_LENGTH);
    bitstream[length - 1] ^= 1;
    CHECK(nap_frame_parse(bitstream, length, &frame) == NAP_STATUS_FRAME_CRC);
    bitstream[0] ^= 1;
    CHECK(nap_frame_parse(bitstream, length, &frame) == NAP_STATUS_FRAME_PREAMBLE);
    uplink.sequence_number = 4096;
    CHECK(nap_frame_encode(&uplink, KEY, 1, bitstream, sizeof bitstream, &length) == NAP_STATUS_INVALID_ARGUMENT);
    uplink = (NapUplink){.device_id = 7, .kind = 6};
    CHECK(nap_frame_encode(&uplink, KEY, 1, bitstream, sizeof bitstream, &length) == NAP_STATUS_INVALID_ARGUMENT);
    uplink = (NapUplink){.device_id = 7, .kind = NAP_KIND_BYTES, .payload_length = 13};
    CHECK(nap_frame_encode(&uplink, KEY, 1, bitstream, sizeof bitstream, &length) == NAP_STATUS_INVALID_ARGUMENT);
}

static void control_contents(void) {
    NapUplink uplink = {.device_id = 7, .kind = NAP_KIND_DL_CONFIRMATION, .sequence_number = 9,
                        .voltage_idle_mv = 3300, .voltage_tx_mv = 3100, .temperature_decidegree_c = -55,
                        .rssi_dbm_at_device = -120};
    uint8_t bitstream[NAP_MAX_FRAME_BYTES];
    size_t length = 0;
    NapFrame frame;
    CHECK(nap_frame_encode(&uplink, KEY, 1, bitstream, sizeof bitstream, &length) == NAP_STATUS_OK);
    CHECK(nap_frame_parse(bitstream, length, &frame) == NAP_STATUS_OK);
    CHECK(memcmp(&frame.uplink, &uplink, sizeof uplink) == 0);
    uplink.bidirectional = 1;
    CHECK(nap_frame_encode(&uplink, KEY, 1, bitstream, sizeof bitstream, &length) == NAP_STATUS_INVALID_ARGUMENT);
}

/* A configuration that no receiver is made of, and what is said of it. */
static void is_refused(const NapConfig *config, const char *why) {
    NapReceiver *receiver = NULL;
    char message[200];
    CHECK(nap_receiver_create(config, &receiver) == NAP_STATUS_INVALID_CONFIG && receiver == NULL);
    CHECK(nap_error_message(message, sizeof message) < sizeof message);
    CHECK(strstr(message, why) == message);
}

static void configurations(void) {
    NapConfig config = quiet_config();
    NapReceiver *receiver = NULL;
    CHECK(nap_config_init(&config, 8) == NAP_STATUS_STRUCT_SIZE);
    CHECK(nap_config_init(NULL, sizeof config) == NAP_STATUS_NULL_POINTER);
    CHECK(isnan(config.full_scale_dbm) && config.channel_width_hz == 192000);
    CHECK(nap_receiver_create(NULL, &receiver) == NAP_STATUS_NULL_POINTER);
    CHECK(nap_receiver_create(&config, NULL) == NAP_STATUS_NULL_POINTER);
    config.sample_rate_hz = 1000;
    CHECK(nap_receiver_create(&config, &receiver) == NAP_STATUS_INVALID_CONFIG);
    char message[120];
    CHECK(nap_error_message(message, sizeof message) == strlen(message));
    CHECK(strstr(message, "1000") != NULL);
    size_t whole = nap_error_message(message, 5);
    CHECK(whole > 4 && strlen(message) == 4);
    config = quiet_config();
    config.max_memory_bytes = 1000000;
    CHECK(nap_receiver_create(&config, &receiver) == NAP_STATUS_MEMORY_BOUND);
    config = quiet_config();
    config.bit_rates = 4;
    is_refused(&config, "bit_rates is 4");
    config = quiet_config();
    config.radio_configuration = 9;
    is_refused(&config, "radio_configuration is 9");
    config = quiet_config();
    config.max_events = 0;
    is_refused(&config, "max_events is 0");
    config = quiet_config();
    config.max_backlog_samples = UINT64_MAX;
    is_refused(&config, "max_backlog_samples is 18446744073709551615");
    CHECK(receiver == NULL);
}

/* A program that was built with a later header, whose structure has more at its end. */
static void structures_grow(void) {
    struct {
        NapConfig known;
        uint64_t later;
    } config;
    NapReceiver *receiver = NULL;
    CHECK(nap_config_init(&config.known, sizeof config) == NAP_STATUS_OK);
    CHECK(config.known.size == sizeof config && config.later == 0);
    config.known.sample_rate_hz = 250000;
    CHECK(nap_receiver_create(&config.known, &receiver) == NAP_STATUS_OK);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
    config.later = 1;
    CHECK(nap_receiver_create(&config.known, &receiver) == NAP_STATUS_STRUCT_SIZE);
    config.known.size = 4;
    CHECK(nap_receiver_create(&config.known, &receiver) == NAP_STATUS_STRUCT_SIZE);
}

static void handles(void) {
    NapConfig config = quiet_config();
    NapReceiver *receiver = create(&config);
    uint8_t iq[2] = {127, 128};
    CHECK(nap_receiver_push_cu8(receiver, iq, 1) == NAP_STATUS_OK);
    CHECK(nap_receiver_push_cu8(receiver, NULL, 1) == NAP_STATUS_NULL_POINTER);
    CHECK(nap_receiver_push_cu8(receiver, NULL, 0) == NAP_STATUS_OK);
    CHECK(nap_receiver_push_cu8(receiver, iq, SIZE_MAX) == NAP_STATUS_INVALID_ARGUMENT);
    CHECK(nap_receiver_push_cu8(NULL, iq, 1) == NAP_STATUS_INVALID_HANDLE);
    CHECK(nap_receiver_push_cu8((NapReceiver *)&config, iq, 1) == NAP_STATUS_INVALID_HANDLE);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_INVALID_HANDLE);
    CHECK(nap_receiver_flush(receiver) == NAP_STATUS_INVALID_HANDLE);
    CHECK(nap_receiver_destroy(NULL) == NAP_STATUS_OK);
    NapReceiver *next = create(&config);
    CHECK(next != receiver);
    CHECK(nap_receiver_flush(receiver) == NAP_STATUS_INVALID_HANDLE);
    CHECK(nap_receiver_destroy(next) == NAP_STATUS_OK);
}

static void devices(void) {
    NapConfig config = quiet_config();
    NapReceiver *receiver = create(&config);
    CHECK(nap_receiver_add_device(receiver, 7, KEY) == NAP_STATUS_OK);
    CHECK(nap_receiver_add_device(receiver, 7, NULL) == NAP_STATUS_DUPLICATE_DEVICE);
    CHECK(nap_receiver_remove_device(receiver, 7) == NAP_STATUS_OK);
    CHECK(nap_receiver_remove_device(receiver, 7) == NAP_STATUS_UNKNOWN_DEVICE);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
}

static uint64_t counter(NapReceiver *receiver, const char *name) {
    NapCounter counters[64];
    size_t count = 0;
    CHECK(nap_receiver_counters(receiver, counters, 64, &count) == NAP_STATUS_OK);
    CHECK(count > 10 && count < 64);
    for (size_t n = 0; n < count; n++) {
        if (strcmp(counters[n].name, name) == 0) {
            return counters[n].value;
        }
    }
    CHECK(!"a counter of this name");
    return 0;
}

static void noise(NapReceiver *receiver) {
    static int16_t iq[2 * 4096];
    uint32_t state = 1;
    for (int block = 0; block < 100; block++) {
        for (int n = 0; n < 2 * 4096; n++) {
            state = state * 1664525u + 1013904223u;
            iq[n] = (int16_t)((int32_t)(state >> 20) - 2048);
        }
        CHECK(nap_receiver_push_cs16(receiver, iq, 4096) == NAP_STATUS_OK);
    }
}

static void figures(void) {
    NapConfig config = quiet_config();
    config.full_scale_dbm = -60;
    NapReceiver *receiver = create(&config);
    noise(receiver);
    CHECK(nap_receiver_skip(receiver, 1000) == NAP_STATUS_OK);
    CHECK(counter(receiver, "samples") == 409600 && counter(receiver, "lost_samples") == 1000);
    NapNoise parts[64];
    size_t count = 0;
    CHECK(nap_receiver_noise(receiver, parts, 64, &count) == NAP_STATUS_OK);
    CHECK(count > 30 && count < 64 && parts[0].level_is_dbm);
    /* A twelfth of the square of 4096 steps for each of I and Q, over the sample rate. */
    double expected = -60 + 10 * log10(2 * (4096.0 * 4096.0 / 12) / (32768.0 * 32768.0) / 250000);
    CHECK(fabs(parts[count / 2].level_db - expected) < 1);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
}

static void work_is_spread(void) {
    NapConfig config = quiet_config();
    config.max_backlog_samples = 500000;
    NapReceiver *receiver = create(&config);
    noise(receiver);
    uint64_t backlog = 0;
    uint32_t is_behind = 0;
    CHECK(nap_receiver_work(receiver, 0, &backlog, &is_behind) == NAP_STATUS_OK);
    CHECK(backlog == 409600 && is_behind);
    noise(receiver);
    CHECK(nap_receiver_work(receiver, UINT64_MAX, &backlog, &is_behind) == NAP_STATUS_OK);
    CHECK(backlog == 0 && !is_behind);
    NapEvent event;
    CHECK(nap_receiver_poll(receiver, &event, sizeof event) == NAP_STATUS_OK);
    CHECK(event.event_type == NAP_EVENT_TYPE_OVERRUN && event.count == 2 * 409600 - 500000);
    CHECK(event.signal.time_s == 2.0);
    CHECK(nap_receiver_poll(receiver, &event, sizeof event) == NAP_STATUS_NO_EVENT);
    CHECK(nap_receiver_poll(receiver, &event, 8) == NAP_STATUS_STRUCT_SIZE);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
}

/* Each block that finds no room is an event, of which only some can be kept. */
static void events_are_dropped_with_a_count(void) {
    NapConfig config = quiet_config();
    config.max_backlog_samples = 100;
    config.max_events = 3;
    NapReceiver *receiver = create(&config);
    static uint8_t iq[2 * 200];
    for (int n = 0; n < 8; n++) {
        CHECK(nap_receiver_push_cu8(receiver, iq, 200) == NAP_STATUS_OK);
        CHECK(nap_receiver_work(receiver, UINT64_MAX, NULL, NULL) == NAP_STATUS_OK);
    }
    NapEvent event;
    for (int n = 0; n < 3; n++) {
        CHECK(nap_receiver_poll(receiver, &event, sizeof event) == NAP_STATUS_OK);
        CHECK(event.event_type == NAP_EVENT_TYPE_OVERRUN);
    }
    CHECK(nap_receiver_poll(receiver, &event, sizeof event) == NAP_STATUS_OK);
    CHECK(event.event_type == NAP_EVENT_TYPE_EVENTS_DROPPED && event.count == 5);
    CHECK(nap_receiver_poll(receiver, &event, sizeof event) == NAP_STATUS_NO_EVENT);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
}

static void from_the_callback(const NapEvent *event, void *user_data) {
    NapReceiver **receiver = user_data;
    CHECK(event->size == sizeof *event && event->count == 100);
    CHECK(nap_receiver_flush(*receiver) == NAP_STATUS_BUSY);
    CHECK(nap_receiver_destroy(*receiver) == NAP_STATUS_BUSY);
    *receiver = NULL;
}

static void a_callback_may_not_call_its_receiver(void) {
    NapConfig config = quiet_config();
    config.max_backlog_samples = 100;
    NapReceiver *receiver = create(&config);
    NapReceiver *seen = receiver;
    static uint8_t iq[2 * 200];
    CHECK(nap_receiver_set_callback(receiver, from_the_callback, &seen) == NAP_STATUS_OK);
    CHECK(nap_receiver_push_cu8(receiver, iq, 200) == NAP_STATUS_OK);
    CHECK(nap_receiver_work(receiver, UINT64_MAX, NULL, NULL) == NAP_STATUS_OK);
    CHECK(seen == NULL);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
}

static void there_are_so_many_receivers(void) {
    NapConfig config = quiet_config();
    /* The smallest that there can be. */
    config.bit_rates = NAP_BIT_RATE_600;
    static NapReceiver *receivers[257];
    size_t count = 0;
    while (count < 257 && nap_receiver_create(&config, &receivers[count]) == NAP_STATUS_OK) {
        count++;
    }
    CHECK(count == 256);
    CHECK(nap_receiver_create(&config, &receivers[256]) == NAP_STATUS_TOO_MANY_RECEIVERS);
    while (count > 0) {
        CHECK(nap_receiver_destroy(receivers[--count]) == NAP_STATUS_OK);
    }
}

static void a_panic_is_a_status(void) {
#ifdef NAP_TEST_HOOKS
    NapConfig config = quiet_config();
    NapReceiver *receiver = create(&config);
    CHECK(nap_test_panic(receiver) == NAP_STATUS_PANIC);
    CHECK(nap_receiver_flush(receiver) == NAP_STATUS_POISONED);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
    receiver = create(&config);
    CHECK(nap_receiver_flush(receiver) == NAP_STATUS_OK);
    CHECK(nap_receiver_destroy(receiver) == NAP_STATUS_OK);
#endif
}

int main(int argc, char **argv) {
    (void)argv;
    versions_and_texts();
    frames();
    control_contents();
    configurations();
    structures_grow();
    handles();
    devices();
    figures();
    work_is_spread();
    events_are_dropped_with_a_count();
    a_callback_may_not_call_its_receiver();
    a_panic_is_a_status();
    /* A tool that watches every address has no room for so many. */
    if (argc == 1) {
        there_are_so_many_receivers();
    }
    return 0;
}
