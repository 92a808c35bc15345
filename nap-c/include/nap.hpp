/* The C++17 API of nap: nap.h with owners. No exceptions are thrown and none are needed.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef NAP_HPP
#define NAP_HPP

#include <nap.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nap {

/* A configuration with its defaults. */
inline NapConfig default_config() noexcept {
    NapConfig config;
    static_cast<void>(nap_config_init(&config, sizeof config));
    return config;
}

/* What went wrong, in words: the status, and the numbers of the last failure in this thread. */
inline std::string error_text(NapStatus status) {
    std::string text = nap_status_text(status);
    std::string message(nap_error_message(nullptr, 0), '\0');
    if (!message.empty()) {
        static_cast<void>(nap_error_message(message.data(), message.size() + 1));
        text += ": " + message;
    }
    return text;
}

/* What is left after some work. */
struct Backlog {
    std::uint64_t samples = 0;
    bool is_behind = false;
};

/* A receiver that is destroyed with its owner. It can be moved, not copied. */
class Receiver {
public:
    /* A receiver, or none and why in `status`. */
    static std::optional<Receiver> create(const NapConfig &config, NapStatus &status) noexcept {
        NapReceiver *handle = nullptr;
        status = nap_receiver_create(&config, &handle);
        return status == NAP_STATUS_OK ? std::optional<Receiver>(Receiver(handle)) : std::nullopt;
    }

    Receiver(Receiver &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Receiver &operator=(Receiver &&other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    Receiver(const Receiver &) = delete;
    Receiver &operator=(const Receiver &) = delete;
    ~Receiver() { static_cast<void>(nap_receiver_destroy(handle_)); }

    /* Samples, I and Q in turns. */
    [[nodiscard]] NapStatus push(const std::uint8_t *iq, std::size_t samples) noexcept {
        return nap_receiver_push_cu8(handle_, iq, samples);
    }
    [[nodiscard]] NapStatus push(const std::int8_t *iq, std::size_t samples) noexcept {
        return nap_receiver_push_cs8(handle_, iq, samples);
    }
    [[nodiscard]] NapStatus push(const std::int16_t *iq, std::size_t samples) noexcept {
        return nap_receiver_push_cs16(handle_, iq, samples);
    }
    [[nodiscard]] NapStatus push(const float *iq, std::size_t samples) noexcept {
        return nap_receiver_push_cf32(handle_, iq, samples);
    }

    [[nodiscard]] NapStatus skip(std::uint64_t samples) noexcept { return nap_receiver_skip(handle_, samples); }
    [[nodiscard]] NapStatus flush() noexcept { return nap_receiver_flush(handle_); }

    /* Works for so long at most on what push has kept. */
    [[nodiscard]] NapStatus work(std::chrono::microseconds budget, Backlog *left = nullptr) noexcept {
        std::uint64_t samples = 0;
        std::uint32_t is_behind = 0;
        const auto time_us = budget.count() < 0 ? 0 : static_cast<std::uint64_t>(budget.count());
        const NapStatus status = nap_receiver_work(handle_, time_us, &samples, &is_behind);
        if (left != nullptr) {
            *left = {samples, is_behind != 0};
        }
        return status;
    }
    /* Works until all is done. */
    [[nodiscard]] NapStatus work_off() noexcept {
        return nap_receiver_work(handle_, std::numeric_limits<std::uint64_t>::max(), nullptr, nullptr);
    }

    /* The oldest event that waits, or none and why in `status`: NAP_STATUS_NO_EVENT if none waits. */
    [[nodiscard]] std::optional<NapEvent> poll(NapStatus &status) noexcept {
        NapEvent event;
        status = nap_receiver_poll(handle_, &event, sizeof event);
        return status == NAP_STATUS_OK ? std::optional<NapEvent>(event) : std::nullopt;
    }

    /* Events go to this function from now on, in the thread that pushes or works; it may not throw. */
    [[nodiscard]] NapStatus set_callback(void (*callback)(const NapEvent *, void *), void *user_data) noexcept {
        return nap_receiver_set_callback(handle_, callback, user_data);
    }

    /* `key` has 16 bytes or is null. */
    [[nodiscard]] NapStatus add_device(std::uint32_t device_id, const std::uint8_t *key) noexcept {
        return nap_receiver_add_device(handle_, device_id, key);
    }
    [[nodiscard]] NapStatus remove_device(std::uint32_t device_id) noexcept {
        return nap_receiver_remove_device(handle_, device_id);
    }

    /* All counters, and where the noise lies; or nothing and why in `status`. */
    [[nodiscard]] std::vector<NapCounter> counters(NapStatus &status) {
        return list<NapCounter>(nap_receiver_counters, status);
    }
    [[nodiscard]] std::vector<NapNoise> noise(NapStatus &status) {
        return list<NapNoise>(nap_receiver_noise, status);
    }

    /* For the calls of nap.h. */
    [[nodiscard]] NapReceiver *handle() const noexcept { return handle_; }

private:
    explicit Receiver(NapReceiver *handle) noexcept : handle_(handle) {}

    template <class T>
    std::vector<T> list(NapStatus (*call)(NapReceiver *, T *, std::size_t, std::size_t *), NapStatus &status) {
        std::size_t count = 0;
        status = call(handle_, nullptr, 0, &count);
        if (status != NAP_STATUS_OK) {
            return {};
        }
        std::vector<T> all(count);
        status = call(handle_, all.data(), all.size(), &count);
        if (status != NAP_STATUS_OK) {
            return {};
        }
        /* There may be fewer by now, or more. */
        all.resize(std::min(count, all.size()));
        return all;
    }

    NapReceiver *handle_;
};

} // namespace nap

#endif /* NAP_HPP */
