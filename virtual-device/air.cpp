#include "air.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace
{
const double PI = std::acos(-1.0);

template <typename T>
std::vector<Sample> convert(const std::vector<char> &bytes, float middle, float scale)
{
    std::vector<Sample> samples(bytes.size() / (2 * sizeof(T)));
    for (std::size_t n = 0; n < samples.size(); n++)
    {
        T parts[2];
        std::memcpy(parts, bytes.data() + n * sizeof(parts), sizeof(parts));
        samples[n] = Sample((float(parts[0]) - middle) / scale, (float(parts[1]) - middle) / scale);
    }
    return samples;
}

std::vector<Sample> decode(const std::vector<char> &bytes, const std::string &format)
{
    if (format == "cu8") return convert<std::uint8_t>(bytes, 127.5f, 127.5f);
    if (format == "cs8") return convert<std::int8_t>(bytes, 0.0f, 128.0f);
    if (format == "cs16") return convert<std::int16_t>(bytes, 0.0f, 32768.0f);
    if (format == "cf32") return convert<float>(bytes, 0.0f, 1.0f);
    throw std::runtime_error("napvirtual: format=" + format + " is not cu8, cs8, cs16 or cf32");
}

double window(double x)
{
    return 0.42 + 0.5 * std::cos(PI * x) + 0.08 * std::cos(2.0 * PI * x);
}

double sinc(double x)
{
    return std::abs(x) < 1e-9 ? 1.0 : std::sin(PI * x) / (PI * x);
}
}

Recording::Recording(
    const std::string &path, const std::string &format, std::int64_t period, std::int64_t quiet):
    _period(period)
{
    std::ifstream file(path, std::ios::binary);
    if (not file) throw std::runtime_error("napvirtual: cannot open file=" + path);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    _samples = decode(bytes, format);
    if (_samples.empty()) throw std::runtime_error("napvirtual: file=" + path + " is empty");
    _quiet = std::clamp<std::int64_t>(quiet, 1, length());
}

Interpolator::Interpolator(): _table(PHASES * TAPS)
{
    for (int phase = 0; phase < PHASES; phase++)
    {
        for (int tap = 0; tap < TAPS; tap++)
        {
            const double x = double(phase) / PHASES + TAPS / 2 - 1 - tap;
            _table[phase * TAPS + tap] = float(sinc(x) * window(x / (TAPS / 2)));
        }
    }
}

Sample Interpolator::at(const Recording &recording, double position) const
{
    auto first = std::int64_t(std::floor(position));
    int phase = int(std::lround((position - double(first)) * PHASES));
    if (phase == PHASES)
    {
        phase = 0;
        first += 1;
    }
    if (phase == 0) return recording.at(first);
    const float *taps = &_table[phase * TAPS];
    first -= TAPS / 2 - 1;
    Sample gathered[TAPS];
    const Sample *samples = recording.run(first, TAPS);
    if (not samples)
    {
        for (int tap = 0; tap < TAPS; tap++) gathered[tap] = recording.at(first + tap);
        samples = gathered;
    }
    Sample sum;
    for (int tap = 0; tap < TAPS; tap++) sum += taps[tap] * samples[tap];
    return sum;
}
