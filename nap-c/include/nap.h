/* The C API of nap, an open receiver of the Sigfox 0G uplink. docs/firmware.md tells how to use it.
 *
 * Made from the library's sources: NAP_WRITE_HEADER=1 cargo test -p nap-c --test header
 *
 * Addresses: one is null, or it points to as many values as the call says, which nobody else changes during the
 * call. Structures that begin with a size grow at their ends.
 * Threads: a receiver may be called from any thread, and from one at a time: another call meanwhile returns
 * NAP_STATUS_BUSY. Different receivers have nothing in common.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef NAP_H
#define NAP_H

#include <stddef.h>
#include <stdint.h>

/**
 * The version of the binary interface. It changes when a program that was built with an older header would no
 * longer work with the library; what is only added does not change it.
 */
#define NAP_ABI_VERSION 1

/**
 * Longest payload of an uplink in bytes.
 */
#define NAP_MAX_PAYLOAD_BYTES 12

/**
 * Longest frame in bytes, preamble included.
 */
#define NAP_MAX_FRAME_BYTES 26

/**
 * Longest container in bytes: what comes after preamble and frame type.
 */
#define NAP_MAX_CONTAINER_BYTES 22

/**
 * Length of a device's key in bytes.
 */
#define NAP_KEY_BYTES 16

/**
 * Listen for 100 bit/s.
 */
#define NAP_BIT_RATE_100 1

/**
 * Listen for 600 bit/s.
 */
#define NAP_BIT_RATE_600 2

/**
 * What a call comes to: 0 if all is well.
 */
enum NapStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It did what it was asked for.
   */
  NAP_STATUS_OK = 0,
  /**
   * There is no event to be polled.
   */
  NAP_STATUS_NO_EVENT = 1,
  /**
   * An address is null that must not be, or does not fit what it points to.
   */
  NAP_STATUS_NULL_POINTER = 2,
  /**
   * No receiver has this handle: it was never made, or has been destroyed.
   */
  NAP_STATUS_INVALID_HANDLE = 3,
  /**
   * The receiver is at work: in another thread, or in the callback of its events.
   */
  NAP_STATUS_BUSY = 4,
  /**
   * A call failed inside the library, which is an error in it, and the receiver can only be destroyed.
   */
  NAP_STATUS_PANIC = 5,
  /**
   * The receiver had such a failure before and can only be destroyed.
   */
  NAP_STATUS_POISONED = 6,
  /**
   * The size at the beginning of a structure is smaller than that of its first version, or something is set
   * behind what this library knows of it.
   */
  NAP_STATUS_STRUCT_SIZE = 7,
  /**
   * A setting is out of range; `nap_error_message` says which.
   */
  NAP_STATUS_INVALID_CONFIG = 8,
  /**
   * The receiver could need more memory than it may take; `nap_error_message` says how much.
   */
  NAP_STATUS_MEMORY_BOUND = 9,
  /**
   * There are as many receivers as there can be.
   */
  NAP_STATUS_TOO_MANY_RECEIVERS = 10,
  /**
   * The device is already known.
   */
  NAP_STATUS_DUPLICATE_DEVICE = 11,
  /**
   * The device is not known.
   */
  NAP_STATUS_UNKNOWN_DEVICE = 12,
  /**
   * An argument is out of range.
   */
  NAP_STATUS_INVALID_ARGUMENT = 13,
  /**
   * The room handed over is too small; the length that is needed has been written.
   */
  NAP_STATUS_BUFFER_TOO_SMALL = 14,
  /**
   * A frame has fewer than four bytes.
   */
  NAP_STATUS_FRAME_TOO_SHORT = 32,
  /**
   * A frame does not begin with the preamble.
   */
  NAP_STATUS_FRAME_PREAMBLE = 33,
  /**
   * No frame type is known by these bits.
   */
  NAP_STATUS_FRAME_TYPE = 34,
  /**
   * A frame has not the length of its type.
   */
  NAP_STATUS_FRAME_LENGTH = 35,
  /**
   * The check sum of a frame is wrong.
   */
  NAP_STATUS_FRAME_CRC = 36,
  /**
   * No device uses this length indicator.
   */
  NAP_STATUS_FRAME_LENGTH_INDICATOR = 37,
  /**
   * A control message is not of a kind that is known.
   */
  NAP_STATUS_FRAME_CONTROL = 38,
  /**
   * A frame has the flag of repeaters, whose format is not public.
   */
  NAP_STATUS_FRAME_REPEATED = 39,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum NapStatus NapStatus;
#else
typedef int32_t NapStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What is known of a message's sender.
 */
enum NapAuthentication
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The device's key is not known.
   */
  NAP_AUTHENTICATION_UNCHECKED = 0,
  /**
   * The device's key made the tag.
   */
  NAP_AUTHENTICATION_VERIFIED = 1,
  /**
   * The device's key did not make the tag.
   */
  NAP_AUTHENTICATION_FAILED = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum NapAuthentication NapAuthentication;
#else
typedef int32_t NapAuthentication;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What an event tells.
 */
enum NapEventType
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A message was decoded for the first time.
   */
  NAP_EVENT_TYPE_MESSAGE = 1,
  /**
   * A further frame of a message was received: the event has all so far.
   */
  NAP_EVENT_TYPE_UPDATE = 2,
  /**
   * No more frames can come to this message; its figures are final.
   */
  NAP_EVENT_TYPE_COMPLETE = 3,
  /**
   * A burst was seen and will not decode any more: `signal`, `duration_s`, `width_hz`, `bit_rate` and
   * `undecoded_reason` tell of it.
   */
  NAP_EVENT_TYPE_UNDECODED = 4,
  /**
   * A message that was told of turned out to be wrong: it was never sent. Its figures are those that were
   * told of.
   */
  NAP_EVENT_TYPE_RETRACTED = 5,
  /**
   * `count` samples from `signal.time_s` on were dropped because `nap_receiver_work` was too far behind.
   */
  NAP_EVENT_TYPE_OVERRUN = 6,
  /**
   * `count` events were dropped because there was no room to keep them.
   */
  NAP_EVENT_TYPE_EVENTS_DROPPED = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum NapEventType NapEventType;
#else
typedef int32_t NapEventType;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How a message was decoded.
 */
enum NapDecoder
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * One frame, its most likely reading.
   */
  NAP_DECODER_SINGLE = 0,
  /**
   * One frame, a less likely reading that the check sum confirmed.
   */
  NAP_DECODER_LIST = 1,
  /**
   * Several frames together.
   */
  NAP_DECODER_JOINT = 2,
  /**
   * With the help of what was known of the device.
   */
  NAP_DECODER_A_PRIORI = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum NapDecoder NapDecoder;
#else
typedef int32_t NapDecoder;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A radio configuration, which says where the channel lies.
 */
enum NapRadioConfiguration
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Not known: the channel is where `channel_center_hz` says.
   */
  NAP_RADIO_CONFIGURATION_UNKNOWN = 0,
  /**
   * Europe, Middle East and Africa.
   */
  NAP_RADIO_CONFIGURATION_RC1 = 1,
  /**
   * North America and Brazil.
   */
  NAP_RADIO_CONFIGURATION_RC2 = 2,
  /**
   * Japan, listen before talk.
   */
  NAP_RADIO_CONFIGURATION_RC3_LBT = 3,
  /**
   * Japan, low duty cycle.
   */
  NAP_RADIO_CONFIGURATION_RC3_LDC = 4,
  /**
   * Latin America and Asia-Pacific.
   */
  NAP_RADIO_CONFIGURATION_RC4 = 5,
  /**
   * South Korea.
   */
  NAP_RADIO_CONFIGURATION_RC5 = 6,
  /**
   * India.
   */
  NAP_RADIO_CONFIGURATION_RC6 = 7,
  /**
   * Russia.
   */
  NAP_RADIO_CONFIGURATION_RC7 = 8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum NapRadioConfiguration NapRadioConfiguration;
#else
typedef int32_t NapRadioConfiguration;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why a burst was not decoded.
 */
enum NapUndecodedReason
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It was decoded, or the event is of another kind.
   */
  NAP_UNDECODED_REASON_NONE = 0,
  /**
   * No frame type fits.
   */
  NAP_UNDECODED_REASON_NO_FRAME_TYPE = 1,
  /**
   * There is no carrier to the frame's end.
   */
  NAP_UNDECODED_REASON_NO_CARRIER = 2,
  /**
   * The symbols are less clear than those of any frame that decodes.
   */
  NAP_UNDECODED_REASON_FAINT = 3,
  /**
   * No decision was likely enough to be tried.
   */
  NAP_UNDECODED_REASON_UNLIKELY = 4,
  /**
   * All decisions that were tried failed the check.
   */
  NAP_UNDECODED_REASON_CHECK_FAILED = 5,
  /**
   * There were too many bursts at once.
   */
  NAP_UNDECODED_REASON_TOO_MANY = 6,
  /**
   * A reason that this version of the interface has no number for.
   */
  NAP_UNDECODED_REASON_OTHER = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum NapUndecodedReason NapUndecodedReason;
#else
typedef int32_t NapUndecodedReason;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Kind of a message's content.
 */
enum NapKind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A payload of 1 to 12 bytes.
   */
  NAP_KIND_BYTES = 0,
  /**
   * No payload.
   */
  NAP_KIND_EMPTY = 1,
  /**
   * The bit 0.
   */
  NAP_KIND_BIT0 = 2,
  /**
   * The bit 1.
   */
  NAP_KIND_BIT1 = 3,
  /**
   * A sign of life, with `voltage_idle_mv`, `voltage_tx_mv` and `temperature_decidegree_c`.
   */
  NAP_KIND_KEEP_ALIVE = 4,
  /**
   * A downlink was received: the same, and `rssi_dbm_at_device`.
   */
  NAP_KIND_DL_CONFIRMATION = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum NapKind NapKind;
#else
typedef int32_t NapKind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A receiver. Its handle is no address: nothing lies there.
 */
typedef struct NapReceiver NapReceiver;

/**
 * What a device sends. Fields that its kind does not have are 0.
 */
typedef struct NapUplink {
  /**
   * The device.
   */
  uint32_t device_id;
  /**
   * One of `NapKind`.
   */
  int32_t kind;
  /**
   * The message counter, 0 to 4095.
   */
  uint16_t sequence_number;
  /**
   * 1 if the device will listen for a downlink, else 0.
   */
  uint8_t bidirectional;
  /**
   * How many bytes the payload has.
   */
  uint8_t payload_length;
  /**
   * The application's payload.
   */
  uint8_t payload[NAP_MAX_PAYLOAD_BYTES];
  /**
   * Of control messages: the battery's voltage while nothing is sent, mV.
   */
  uint16_t voltage_idle_mv;
  /**
   * The same while a frame is sent, mV.
   */
  uint16_t voltage_tx_mv;
  /**
   * The device's temperature, tenths of a degree Celsius.
   */
  int16_t temperature_decidegree_c;
  /**
   * Of a confirmation: the level at which the device received the downlink, dBm.
   */
  int16_t rssi_dbm_at_device;
} NapUplink;

/**
 * A frame that was taken apart.
 */
typedef struct NapFrame {
  /**
   * What the device sends. Of a frame with the flag of repeaters this may not be what it means.
   */
  struct NapUplink uplink;
  /**
   * Which frame of a message: 1, 2 or 3.
   */
  uint8_t rank;
  /**
   * 1 if the flag is set that devices always clear, presumably by a repeater.
   */
  uint8_t repeated;
  /**
   * How many bytes the authentication tag has, 2 to 5.
   */
  uint8_t tag_length;
  /**
   * How many bytes the container has.
   */
  uint8_t container_length;
  /**
   * The authentication tag.
   */
  uint8_t tag[5];
  /**
   * The container, deconvolved: header, device, payload, tag and check sum.
   */
  uint8_t container[NAP_MAX_CONTAINER_BYTES];
  /**
   * The check sum.
   */
  uint16_t crc;
} NapFrame;

/**
 * What a receiver listens to, and what it may take. Set by `nap_config_init`, then changed.
 */
typedef struct NapConfig {
  /**
   * `sizeof(NapConfig)`.
   */
  uint32_t size;
  /**
   * One of `NapRadioConfiguration`; unless 0 it says where the channel lies.
   */
  int32_t radio_configuration;
  /**
   * Samples per second, 200000 or more. Has to be set.
   */
  double sample_rate_hz;
  /**
   * Frequency of the samples' 0 Hz. Has to be set for absolute frequencies.
   */
  double center_hz;
  /**
   * Middle of the channel where no radio configuration says it; 0 for that of the samples.
   */
  double channel_center_hz;
  /**
   * Width of the channel: 192000.
   */
  double channel_width_hz;
  /**
   * Power of a full-scale carrier at the antenna, dBm. NaN if it is not known: levels are relative to full
   * scale then.
   */
  double full_scale_dbm;
  /**
   * False messages a day that may be expected at most: 1.
   */
  double false_messages_per_day;
  /**
   * The fastest change of a carrier's frequency that is looked for: 60 Hz/s.
   */
  double max_drift_hz_per_s;
  /**
   * Sum of `NAP_BIT_RATE_100` and `NAP_BIT_RATE_600`: both.
   */
  uint32_t bit_rates;
  /**
   * Bursts of one bit rate that may wait for their ends at once.
   */
  uint32_t max_bursts;
  /**
   * Frames of one bit rate that are kept to be decoded together with others.
   */
  uint32_t max_undecoded_frames;
  /**
   * Groups of such frames that are tried when a new one comes.
   */
  uint32_t max_groups;
  /**
   * Devices with keys that frames are looked for with the help of.
   */
  uint32_t max_known_devices;
  /**
   * Events that wait to be polled at most; of more, the newest are dropped and counted: 256.
   */
  uint32_t max_events;
  /**
   * 0: `push` does all the work. Else `push` only keeps samples, so many at most, and
   * `nap_receiver_work` does the work.
   */
  uint64_t max_backlog_samples;
  /**
   * Memory that the receiver may take at most, bytes; 0 for as much as the other limits allow. Where they
   * allow more, no receiver is made.
   */
  uint64_t max_memory_bytes;
} NapConfig;

/**
 * When, where, how strong and how clean.
 */
typedef struct NapSignal {
  /**
   * Start of the frame, or of the message's first frame, from the first sample, s.
   */
  double time_s;
  /**
   * Carrier frequency in the middle of the frame, Hz.
   */
  double frequency_hz;
  /**
   * Mean power over the frame: dBm if `level_is_dbm`, else dB relative to full scale.
   */
  double level_db;
  /**
   * Energy of a bit over the noise density, Eb/N0, dB.
   */
  double snr_db;
  /**
   * Drift of the carrier, Hz/s.
   */
  double drift_hz_per_s;
} NapSignal;

/**
 * A frame of a message as received.
 */
typedef struct NapFrameReport {
  /**
   * The frame's signal.
   */
  struct NapSignal signal;
  /**
   * Which frame of a message: 1, 2 or 3.
   */
  uint8_t rank;
  /**
   * 1 if this frame alone could be decoded, its check sum matching, else 0.
   */
  uint8_t crc_ok;
  /**
   * Nothing.
   */
  uint8_t reserved[6];
} NapFrameReport;

/**
 * What a receiver tells. Fields that an event of its type does not have are 0.
 */
typedef struct NapEvent {
  /**
   * How much of the structure the library has filled, in bytes.
   */
  uint32_t size;
  /**
   * What it tells.
   */
  NapEventType event_type;
  /**
   * The same in all events of one message, and in no other's.
   */
  uint64_t message_id;
  /**
   * What the device sent.
   */
  struct NapUplink uplink;
  /**
   * Whether its key made the tag.
   */
  NapAuthentication authentication;
  /**
   * How the message was decoded.
   */
  NapDecoder decoder;
  /**
   * The radio configuration of the channel, if known.
   */
  NapRadioConfiguration radio_configuration;
  /**
   * How fast the device sent, bit/s.
   */
  uint32_t bit_rate;
  /**
   * The signal of the cleanest frame, with the time of the first one.
   */
  struct NapSignal signal;
  /**
   * 1 if levels are dBm, 0 if they are relative to full scale.
   */
  uint32_t level_is_dbm;
  /**
   * How many frames were received.
   */
  uint32_t frame_count;
  /**
   * The frames in the order of time.
   */
  struct NapFrameReport frames[3];
  /**
   * How long a frame, or the burst, lasts, s.
   */
  double duration_s;
  /**
   * How wide it is, Hz.
   */
  double width_hz;
  /**
   * Of a burst that was not decoded: why.
   */
  NapUndecodedReason undecoded_reason;
  /**
   * Of a burst that was not decoded: which frame it is by its frame type, 1 to 3; 0 if none fits.
   */
  uint32_t undecoded_rank;
  /**
   * How many samples or events were dropped.
   */
  uint64_t count;
} NapEvent;

/**
 * A function of the program that is handed each event, and what it is handed with it; or null.
 */
typedef void (*NapEventCallback)(const struct NapEvent *event, void *user_data);

/**
 * A counter of a receiver.
 */
typedef struct NapCounter {
  /**
   * Its name, which ends in 0.
   */
  char name[40];
  /**
   * How many there were since the start.
   */
  uint64_t value;
} NapCounter;

/**
 * Where the noise lies.
 */
typedef struct NapNoise {
  /**
   * Middle of the part of the channel, Hz.
   */
  double frequency_hz;
  /**
   * Power in one hertz: dBm/Hz with a calibration, else dB relative to full scale per hertz.
   */
  double level_db;
  /**
   * 1 if the level is in dBm/Hz, else 0.
   */
  uint32_t level_is_dbm;
  /**
   * Nothing.
   */
  uint32_t reserved;
} NapNoise;

/**
 * What has become of the pool.
 */
typedef struct NapPool {
  /**
   * What was reserved, bytes.
   */
  uint64_t reserved_bytes;
  /**
   * What is in use, bytes.
   */
  uint64_t used_bytes;
  /**
   * The most that was in use at once, bytes.
   */
  uint64_t peak_bytes;
  /**
   * How often the system was asked since the pool was reserved, because the pool did not do.
   */
  uint64_t system_allocations;
} NapPool;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the binary interface that the library has; compare it with `NAP_ABI_VERSION` of the header.
 */
uint32_t nap_abi_version(void);

/**
 * The version of the library, such as "0.1.0".
 */
const char *nap_version(void);

/**
 * A sentence that says what a status means; never null.
 */
const char *nap_status_text(int32_t status);

/**
 * The name of one of `NapKind` as in records; "unknown" for another number, never null.
 */
const char *nap_kind_name(int32_t kind);

/**
 * Takes a bitstream apart: preamble, frame type and container, most significant bit first.
 *
 * Returns the first thing that is wrong with it, in the order of `NapStatus`; then `frame` stays as it was.
 *
 * Addresses: `bitstream` has `length` bytes, `frame` has room for one frame.
 */
NapStatus nap_frame_parse(const uint8_t *bitstream, size_t length, struct NapFrame *frame);

/**
 * Says whether a key of 16 bytes made the tag of a frame, in a time that does not depend on the tag.
 *
 * Addresses: `bitstream` has `length` bytes, `key` has 16, `authentication` has room for one number.
 */
NapStatus nap_frame_authenticate(const uint8_t *bitstream,
                                 size_t length,
                                 const uint8_t *key,
                                 NapAuthentication *authentication);

/**
 * Makes one of the frames of a message: `rank` is 1, 2 or 3. Writes at most `NAP_MAX_FRAME_BYTES`, and how many
 * to `length`.
 *
 * Addresses: `uplink` is one, `key` has 16 bytes, `bitstream` has room for `capacity`, `length` for one number.
 */
NapStatus nap_frame_encode(const struct NapUplink *uplink,
                           const uint8_t *key,
                           uint8_t rank,
                           uint8_t *bitstream,
                           size_t capacity,
                           size_t *length);

/**
 * A few words that say what one of `NapUndecodedReason` means; never null.
 */
const char *nap_undecoded_reason_text(int32_t reason);

/**
 * Sets a configuration to its defaults. `size` is `sizeof(NapConfig)`.
 *
 * Addresses: `config` has room for `size` bytes.
 */
NapStatus nap_config_init(struct NapConfig *config, size_t size);

/**
 * Makes a receiver and writes its handle to `receiver`. All memory that it needs to listen is taken here.
 *
 * Addresses: `config` points to as many bytes as its size says, `receiver` has room for one handle.
 */
NapStatus nap_receiver_create(const struct NapConfig *config, struct NapReceiver **receiver);

/**
 * Ends a receiver; its handle is none any more. Null is none and no error. Not while another call is at work
 * with it, so that nothing is taken from under that: then it is busy and stays.
 */
NapStatus nap_receiver_destroy(struct NapReceiver *receiver);

/**
 * Takes `count` samples of unsigned bytes, I and Q in turns, 127.5 being the middle.
 *
 * Addresses: `iq` points to `2 * count` numbers.
 */
NapStatus nap_receiver_push_cu8(struct NapReceiver *receiver, const uint8_t *iq, size_t count);

/**
 * Takes `count` samples of signed bytes, I and Q in turns.
 *
 * Addresses: `iq` points to `2 * count` numbers.
 */
NapStatus nap_receiver_push_cs8(struct NapReceiver *receiver, const int8_t *iq, size_t count);

/**
 * Takes `count` samples of 16 bits, I and Q in turns, in the machine's order of bytes.
 *
 * Addresses: `iq` points to `2 * count` numbers.
 */
NapStatus nap_receiver_push_cs16(struct NapReceiver *receiver, const int16_t *iq, size_t count);

/**
 * Takes `count` samples of floats, I and Q in turns, full scale being 1.
 *
 * Addresses: `iq` points to `2 * count` numbers.
 */
NapStatus nap_receiver_push_cf32(struct NapReceiver *receiver, const float *iq, size_t count);

/**
 * Tells that so many samples were lost before the next ones: times count on over them.
 */
NapStatus nap_receiver_skip(struct NapReceiver *receiver, uint64_t samples);

/**
 * Ends the stream: decodes what is left and completes all messages. More samples may follow.
 */
NapStatus nap_receiver_flush(struct NapReceiver *receiver);

/**
 * Works on the samples that were kept for so many microseconds, or until all is done; with 0 nothing is done,
 * with `UINT64_MAX` all. The time is looked at between parts of the work, the longest of which takes some
 * milliseconds. Writes to `backlog`, unless it is null, how many samples still wait; what may be left of the
 * work when none does is written to `is_behind`, unless it is null: 1 if there is any, else 0.
 *
 * Addresses: `backlog` and `is_behind` are null or have room for one number.
 */
NapStatus nap_receiver_work(struct NapReceiver *receiver,
                            uint64_t budget_us,
                            uint64_t *backlog,
                            uint32_t *is_behind);

/**
 * Hands events to a function from now on, in place of keeping them to be polled; null ends that. It is called
 * in whichever thread the receiver is called in, during that call, and may not call the same receiver: that is
 * busy. It may not throw or jump out.
 *
 * Addresses: `callback` is null or such a function, and may be handed `user_data` from any thread that calls the receiver.
 */
NapStatus nap_receiver_set_callback(struct NapReceiver *receiver,
                                    NapEventCallback callback,
                                    void *user_data);

/**
 * Takes the oldest event that waits; `NAP_STATUS_NO_EVENT` if none does. `size` is `sizeof(NapEvent)`: no more is
 * written, should the library know more of it.
 *
 * Addresses: `event` has room for `size` bytes.
 */
NapStatus nap_receiver_poll(struct NapReceiver *receiver,
                            struct NapEvent *event,
                            size_t size);

/**
 * Adds a device. With its key, of 16 bytes, its messages are authenticated, and frames of it looked for with the
 * help of the key; `key` may be null.
 *
 * Addresses: `key` is null or points to 16 bytes.
 */
NapStatus nap_receiver_add_device(struct NapReceiver *receiver,
                                  uint32_t device_id,
                                  const uint8_t *key);

/**
 * Takes a device out.
 */
NapStatus nap_receiver_remove_device(struct NapReceiver *receiver, uint32_t device_id);

/**
 * Writes up to `capacity` counters, and how many there are to `count`.
 *
 * Addresses: `counters` has room for `capacity`, `count` for one number.
 */
NapStatus nap_receiver_counters(struct NapReceiver *receiver,
                                struct NapCounter *counters,
                                size_t capacity,
                                size_t *count);

/**
 * Writes up to `capacity` parts of the channel with their noise, in the order of frequency, and how many there
 * are to `count`: none before there was noise.
 *
 * Addresses: `parts` has room for `capacity`, `count` for one number.
 */
NapStatus nap_receiver_noise(struct NapReceiver *receiver,
                             struct NapNoise *parts,
                             size_t capacity,
                             size_t *count);

/**
 * Writes what the last call in this thread failed of, with its numbers, as far as there is room; it ends in 0.
 * Empty if the text of the status says all. Returns the length of all of it.
 *
 * Addresses: `text` has room for `capacity` characters.
 */
size_t nap_error_message(char *text,
                         size_t capacity);

#if defined(NAP_TEST_HOOKS)
/**
 * Fails inside, as an error in the library would, so that a program's tests see what becomes of it.
 */
NapStatus nap_test_panic(struct NapReceiver *receiver);
#endif

/**
 * Reserves the block of which the library lives from now on. Call it before all else, once.
 */
NapStatus nap_pool_reserve(size_t bytes);

/**
 * Writes what has become of the pool.
 *
 * Addresses: `figures` has room for one structure.
 */
NapStatus nap_pool_figures(struct NapPool *figures);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* NAP_H */
