// What is on the air: a recording that plays by the clock, and how it sounds at any sample rate.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <vector>

using Sample = std::complex<float>;

// Samples of a raw file in memory. Outside it there is silence, or, in a loop, the file again.
class Recording
{
public:
    // `format` is cu8, cs8, cs16 or cf32; throws std::runtime_error for a file that cannot be read.
    Recording(const std::string &path, const std::string &format, bool loop);

    Sample at(std::int64_t index) const
    {
        const auto length = static_cast<std::int64_t>(_samples.size());
        if (_loop) index = ((index % length) + length) % length;
        return (index >= 0 and index < length) ? _samples[static_cast<std::size_t>(index)] : Sample();
    }

private:
    std::vector<Sample> _samples;
    bool _loop;
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
