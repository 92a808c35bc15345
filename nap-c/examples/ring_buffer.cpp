/* A driver's thread that fills a ring buffer, and a thread that pushes from it and spends what time a block leaves
 * on the work. Prints the messages, then what was lost.
 *
 *   ring_buffer FILE SAMPLE_RATE_HZ CENTER_HZ
 *
 * The file of unsigned bytes stands for the radio; it is played as fast as the other thread takes it.
 */
#include <array>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include <nap.hpp>

namespace {

constexpr std::size_t BLOCK_SAMPLES = 4096;
constexpr std::size_t BLOCKS = 64;

/* Blocks from one thread to another, without a lock. */
class RingBuffer {
public:
    struct Block {
        std::array<std::uint8_t, 2 * BLOCK_SAMPLES> iq;
        std::size_t samples = 0;
    };

    /* The block to fill next; null while there is none. */
    Block *to_fill() {
        const std::size_t written = written_.load(std::memory_order_relaxed);
        return written - read_.load(std::memory_order_acquire) < BLOCKS ? &blocks_[written % BLOCKS] : nullptr;
    }
    void filled() { written_.fetch_add(1, std::memory_order_release); }

    /* The oldest block that is filled; null while there is none. */
    const Block *to_take() {
        const std::size_t read = read_.load(std::memory_order_relaxed);
        return read != written_.load(std::memory_order_acquire) ? &blocks_[read % BLOCKS] : nullptr;
    }
    void taken() { read_.fetch_add(1, std::memory_order_release); }

private:
    std::array<Block, BLOCKS> blocks_;
    std::atomic<std::size_t> written_{0};
    std::atomic<std::size_t> read_{0};
};

/* What a driver does: a block of no samples is the last. */
void play(std::FILE *file, RingBuffer &ring) {
    std::size_t samples = 1;
    while (samples > 0) {
        RingBuffer::Block *block = ring.to_fill();
        if (block == nullptr) {
            std::this_thread::yield();
            continue;
        }
        samples = std::fread(block->iq.data(), 2, BLOCK_SAMPLES, file);
        block->samples = samples;
        ring.filled();
    }
}

NapStatus print_events(nap::Receiver &receiver) {
    NapStatus status;
    while (const auto event = receiver.poll(status)) {
        if (event->event_type == NAP_EVENT_TYPE_COMPLETE) {
            std::printf("%.6f %08" PRIX32 " #%u %s, %u frames\n", event->signal.time_s, event->uplink.device_id,
                        static_cast<unsigned>(event->uplink.sequence_number), nap_kind_name(event->uplink.kind),
                        static_cast<unsigned>(event->frame_count));
        } else if (event->event_type == NAP_EVENT_TYPE_OVERRUN) {
            std::printf("%" PRIu64 " samples dropped at %.3f s\n", event->count, event->signal.time_s);
        }
    }
    return status == NAP_STATUS_NO_EVENT ? NAP_STATUS_OK : status;
}

NapStatus receive(nap::Receiver &receiver, RingBuffer &ring, std::chrono::microseconds block_lasts) {
    for (;;) {
        const RingBuffer::Block *block = ring.to_take();
        if (block == nullptr) {
            std::this_thread::yield();
            continue;
        }
        const std::size_t samples = block->samples;
        NapStatus status = receiver.push(block->iq.data(), samples);
        ring.taken();
        if (status != NAP_STATUS_OK || samples == 0) {
            return status;
        }
        /* A radio would give the next block only then; a file does not, so that no more is kept than there is room. */
        nap::Backlog left;
        do {
            status = receiver.work(block_lasts, &left);
        } while (status == NAP_STATUS_OK && left.samples > 100 * BLOCK_SAMPLES);
        if (status == NAP_STATUS_OK) {
            status = print_events(receiver);
        }
        if (status != NAP_STATUS_OK) {
            return status;
        }
    }
}

int fail(NapStatus status) {
    std::fprintf(stderr, "nap: %s\n", nap::error_text(status).c_str());
    return 1;
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: ring_buffer FILE SAMPLE_RATE_HZ CENTER_HZ\n");
        return 2;
    }
    NapConfig config = nap::default_config();
    config.sample_rate_hz = std::atof(argv[2]);
    config.center_hz = std::atof(argv[3]);
    config.max_backlog_samples = 200 * BLOCK_SAMPLES;
    NapStatus status;
    auto receiver = nap::Receiver::create(config, status);
    if (!receiver) {
        return fail(status);
    }
    std::FILE *file = std::fopen(argv[1], "rb");
    if (file == nullptr) {
        std::perror(argv[1]);
        return 1;
    }
    static RingBuffer ring;
    std::thread driver(play, file, std::ref(ring));
    const double block_s = BLOCK_SAMPLES / config.sample_rate_hz;
    status = receive(*receiver, ring, std::chrono::microseconds(static_cast<std::int64_t>(1e6 * block_s)));
    driver.join();
    std::fclose(file);
    if (status == NAP_STATUS_OK) {
        status = receiver->flush();
    }
    if (status == NAP_STATUS_OK) {
        status = receiver->work_off();
    }
    if (status == NAP_STATUS_OK) {
        status = print_events(*receiver);
    }
    if (status != NAP_STATUS_OK) {
        return fail(status);
    }
    for (const NapCounter &counter : receiver->counters(status)) {
        if (std::string(counter.name) == "lost_samples") {
            std::printf("lost_samples %" PRIu64 "\n", counter.value);
        }
    }
    return 0;
}
