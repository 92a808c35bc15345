// What is on the air: a recording that plays by the clock, and how it sounds at any sample rate.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <vector>

using Sample = std::complex<float>;

// Samples of a raw file in memory. Outside it there is silence, unless it is played again and again.
class Recording
{
public:
    // `format` is cu8, cs8, cs16 or cf32; throws std::runtime_error for a file that cannot be read.
    // Above 0, `period` is after how many samples the file starts again; until then its first `quiet`
    // samples are repeated.
    Recording(const std::string &path, const std::string &format, std::int64_t period, std::int64_t quiet);

    Sample at(std::int64_t index) const
    {
        index = place(index);
        return (index >= 0 and index < length()) ? _samples[static_cast<std::size_t>(index)] : Sample();
    }

    // `count` samples from `index` on, or null where they do not lie side by side.
    const Sample *run(std::int64_t index, std::int64_t count) const
    {
        const auto first = place(index), last = place(index + count - 1);
        const bool together = first >= 0 and last < length() and last - first == count - 1;
        return together ? _samples.data() + first : nullptr;
    }

private:
    std::int64_t length() const { return static_cast<std::int64_t>(_samples.size()); }

    std::int64_t place(std::int64_t index) const
    {
        if (_period <= 0) return index;
        index = ((index % _period) + _period) % _period;
        return index < length() ? index : (index - length()) % _quiet;
    }

    std::vector<Sample> _samples;
    std::int64_t _period;
    std::int64_t _quiet;
};

// Reads a recording between its samples with a windowed sinc.
class Interpolator
{
public:
    Interpolator();

    // The value at `position`, counted in samples of the recording.
    Sample at(const Recording &recording, double position) const;

private:
    static constexpr int TAPS = 24;
    static constexpr int PHASES = 512;
    std::vector<float> _table;
};
