/* Prints the messages of a file of samples, one a line, each when it is complete.
 *
 *   decode_file FILE SAMPLE_RATE_HZ CENTER_HZ [cu8|cs8|cs16|cf32]
 *
 * Built against an installed library:
 *
 *   cc decode_file.c $(pkg-config --cflags --libs nap) -o decode_file
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nap.h>

enum { SAMPLES_AT_ONCE = 4096, BYTES_AT_ONCE = SAMPLES_AT_ONCE * 8 };

struct format {
    const char *name;
    size_t bytes_per_sample;
};

static const struct format FORMATS[] = {{"cu8", 2}, {"cs8", 2}, {"cs16", 4}, {"cf32", 8}};

/* Samples of any format, aligned for all of them. */
union samples {
    uint8_t cu8[BYTES_AT_ONCE];
    int8_t cs8[BYTES_AT_ONCE];
    int16_t cs16[BYTES_AT_ONCE / 2];
    float cf32[BYTES_AT_ONCE / 4];
};

static NapStatus push(NapReceiver *receiver, int format, const union samples *samples, size_t count) {
    switch (format) {
    case 0: return nap_receiver_push_cu8(receiver, samples->cu8, count);
    case 1: return nap_receiver_push_cs8(receiver, samples->cs8, count);
    case 2: return nap_receiver_push_cs16(receiver, samples->cs16, count);
    default: return nap_receiver_push_cf32(receiver, samples->cf32, count);
    }
}

static void print_content(const NapUplink *uplink) {
    printf("%s ", nap_kind_name(uplink->kind));
    for (int n = 0; n < uplink->payload_length; n++) {
        printf("%02x", (unsigned)uplink->payload[n]);
    }
    if (uplink->kind == NAP_KIND_KEEP_ALIVE || uplink->kind == NAP_KIND_DL_CONFIRMATION) {
        printf("%u mV %u mV %.1f C", (unsigned)uplink->voltage_idle_mv, (unsigned)uplink->voltage_tx_mv,
               uplink->temperature_decidegree_c / 10.0);
    }
}

/* Called for every event, in the thread that pushes. */
static void print_message(const NapEvent *event, void *user_data) {
    (void)user_data;
    if (event->event_type != NAP_EVENT_TYPE_COMPLETE) {
        return;
    }
    printf("%.6f %08" PRIX32 " #%u ", event->signal.time_s, event->uplink.device_id,
           (unsigned)event->uplink.sequence_number);
    print_content(&event->uplink);
    printf(" %.1f Hz %.1f %s Eb/N0 %.1f dB, %u frames\n", event->signal.frequency_hz, event->signal.level_db,
           event->level_is_dbm ? "dBm" : "dBFS", event->signal.snr_db, (unsigned)event->frame_count);
}

static int fail(NapStatus status) {
    char message[200];
    nap_error_message(message, sizeof message);
    fprintf(stderr, "nap: %s %s\n", nap_status_text(status), message);
    return 1;
}

static int decode(FILE *file, int format, NapReceiver *receiver) {
    static union samples samples;
    size_t count;
    while ((count = fread(&samples, FORMATS[format].bytes_per_sample, SAMPLES_AT_ONCE, file)) > 0) {
        NapStatus status = push(receiver, format, &samples, count);
        if (status != NAP_STATUS_OK) {
            return fail(status);
        }
    }
    NapStatus status = nap_receiver_flush(receiver);
    return status == NAP_STATUS_OK ? 0 : fail(status);
}

static int find_format(const char *name) {
    for (int n = 0; n < (int)(sizeof FORMATS / sizeof *FORMATS); n++) {
        if (strcmp(FORMATS[n].name, name) == 0) {
            return n;
        }
    }
    return -1;
}

int main(int argc, char **argv) {
    int format = argc == 5 ? find_format(argv[4]) : 0;
    if (argc < 4 || argc > 5 || format < 0) {
        fprintf(stderr, "usage: decode_file FILE SAMPLE_RATE_HZ CENTER_HZ [cu8|cs8|cs16|cf32]\n");
        return 2;
    }
    FILE *file = fopen(argv[1], "rb");
    if (file == NULL) {
        perror(argv[1]);
        return 1;
    }
    NapConfig config;
    nap_config_init(&config, sizeof config);
    config.sample_rate_hz = atof(argv[2]);
    config.center_hz = atof(argv[3]);
    NapReceiver *receiver = NULL;
    NapStatus status = nap_receiver_create(&config, &receiver);
    int result = 1;
    if (status == NAP_STATUS_OK) {
        nap_receiver_set_callback(receiver, print_message, NULL);
        result = decode(file, format, receiver);
    } else {
        fail(status);
    }
    nap_receiver_destroy(receiver);
    fclose(file);
    return result;
}
