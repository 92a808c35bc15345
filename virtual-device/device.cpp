// A SoapySDR device that plays a recording and misbehaves when told to.

#include <SoapySDR/Device.hpp>
#include <SoapySDR/Errors.h>
#include <SoapySDR/Formats.hpp>
#include <SoapySDR/Registry.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <thread>

#include "air.hpp"
#include "faults.hpp"

namespace
{
const double PI = std::acos(-1.0);
// Blocks of ten milliseconds, as USB receivers send them.
const double BLOCK_S = 0.01;
// What the device buffers before it overflows, in seconds by the clock.
const double BUFFER_S = 0.5;
// The clock of the fault `rate`.
const double SLOW_CLOCK = 0.9;
const double LNA_MAX_DB = 40.0, VGA_MAX_DB = 62.0;
// The gain at which the recording comes out as it is.
const double UNITY_GAIN_DB = 40.0;
// The converter's own noise, whatever the gain.
const float CONVERTER_NOISE = 1e-5f;

double clock_s()
{
    using namespace std::chrono;
    return duration<double>(system_clock::now().time_since_epoch()).count();
}

void sleep_s(double seconds)
{
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

std::string text(const SoapySDR::Kwargs &args, const std::string &key, const std::string &otherwise)
{
    const auto found = args.find(key);
    return found == args.end() ? otherwise : found->second;
}

double number(const SoapySDR::Kwargs &args, const std::string &key, double otherwise)
{
    const auto found = args.find(key);
    if (found == args.end()) return otherwise;
    try
    {
        return std::stod(found->second);
    }
    catch (const std::exception &)
    {
        throw std::invalid_argument("napvirtual: " + key + "=" + found->second + " is not a number");
    }
}

// What is not given comes from the environment, so that the device can be plugged in from outside.
SoapySDR::Kwargs with_environment(SoapySDR::Kwargs args)
{
    if (const char *more = std::getenv("NAP_VIRTUAL_SDR"))
    {
        for (const auto &pair : SoapySDR::KwargsFromString(more)) args.insert(pair);
    }
    return args;
}

// When and how fast the recording plays.
struct Timeline
{
    explicit Timeline(const SoapySDR::Kwargs &args):
        epoch_s(number(args, "epoch", clock_s())),
        speed(number(args, "speed", 1.0)),
        schedule(text(args, "faults", ""))
    {
        if (not(speed > 0.0)) throw std::invalid_argument("napvirtual: speed must be above 0");
    }

    double now_s() const
    {
        return (clock_s() - epoch_s) * speed;
    }

    double epoch_s;
    double speed;
    Schedule schedule;
};

class VirtualDevice : public SoapySDR::Device
{
public:
    explicit VirtualDevice(const SoapySDR::Kwargs &args):
        _timeline(args),
        _recorded_rate_hz(number(args, "rate", 250e3)),
        _recording(text(args, "file", ""), text(args, "format", "cs16"),
                   std::llround(number(args, "period", 0.0) * _recorded_rate_hz),
                   std::llround(number(args, "quiet", 0.5) * _recorded_rate_hz)),
        _recorded_center_hz(number(args, "center", 868.13e6)),
        _dc(float(number(args, "dc", 0.0))),
        _timestamps(text(args, "timestamps", "1") == "1"),
        _rate_hz(_recorded_rate_hz),
        _frequency_hz(_recorded_center_hz)
    {
        if (_timeline.schedule.at(_timeline.now_s()).fault == Fault::gone)
            throw std::runtime_error("napvirtual: the radio is unplugged");
    }

    std::string getDriverKey() const override { return "napvirtual"; }
    std::string getHardwareKey() const override { return "recording"; }
    size_t getNumChannels(const int direction) const override { return direction == SOAPY_SDR_RX ? 1 : 0; }

    std::vector<std::string> listAntennas(const int, const size_t) const override { return {"RX", "RX2"}; }
    void setAntenna(const int, const size_t, const std::string &name) override { _antenna = name; }
    std::string getAntenna(const int, const size_t) const override { return _antenna; }

    std::vector<std::string> listGains(const int, const size_t) const override { return {"LNA", "VGA"}; }
    SoapySDR::Range getGainRange(const int, const size_t, const std::string &name) const override
    {
        return SoapySDR::Range(0.0, name == "LNA" ? LNA_MAX_DB : VGA_MAX_DB);
    }
    void setGain(const int direction, const size_t channel, const std::string &name, const double value) override
    {
        const auto range = getGainRange(direction, channel, name);
        (name == "LNA" ? _lna_db : _vga_db) = std::clamp(value, range.minimum(), range.maximum());
    }
    double getGain(const int, const size_t, const std::string &name) const override
    {
        return name == "LNA" ? _lna_db : _vga_db;
    }

    std::vector<std::string> listFrequencies(const int, const size_t) const override { return {"RF"}; }
    SoapySDR::RangeList getFrequencyRange(const int, const size_t, const std::string &) const override
    {
        return {SoapySDR::Range(24e6, 1766e6)};
    }
    void setFrequency(const int, const size_t, const std::string &, const double hz, const SoapySDR::Kwargs &) override
    {
        _frequency_hz = hz;
    }
    double getFrequency(const int, const size_t, const std::string &) const override { return _frequency_hz; }

    std::vector<double> listSampleRates(const int, const size_t) const override
    {
        return {_recorded_rate_hz, 1.024e6, 2.4e6};
    }
    SoapySDR::RangeList getSampleRateRange(const int direction, const size_t channel) const override
    {
        SoapySDR::RangeList list;
        for (const double hz : listSampleRates(direction, channel)) list.emplace_back(hz, hz);
        return list;
    }
    void setSampleRate(const int direction, const size_t channel, const double hz) override
    {
        // As real drivers do: the nearest that the hardware has.
        const auto rates = listSampleRates(direction, channel);
        const auto nearer = [hz](double a, double b) { return std::abs(a - hz) < std::abs(b - hz); };
        _rate_hz = *std::min_element(rates.begin(), rates.end(), nearer);
    }
    double getSampleRate(const int, const size_t) const override { return _rate_hz; }

    SoapySDR::RangeList getBandwidthRange(const int, const size_t) const override
    {
        return {SoapySDR::Range(200e3, 2.8e6)};
    }
    void setBandwidth(const int, const size_t, const double hz) override { _bandwidth_hz = hz; }
    double getBandwidth(const int, const size_t) const override { return _bandwidth_hz; }

    void writeSetting(const std::string &key, const std::string &value) override
    {
        // As real drivers do: what it does not have, it takes without a word.
        if (key == "notch") _settings[key] = value;
    }
    std::string readSetting(const std::string &key) const override { return text(_settings, key, ""); }

    std::vector<std::string> getStreamFormats(const int, const size_t) const override
    {
        return {SOAPY_SDR_CF32, SOAPY_SDR_CS16};
    }
    std::string getNativeStreamFormat(const int, const size_t, double &full_scale) const override
    {
        full_scale = 32768.0;
        return SOAPY_SDR_CS16;
    }
    SoapySDR::Stream *setupStream(
        const int direction, const std::string &format, const std::vector<size_t> &, const SoapySDR::Kwargs &) override
    {
        if (direction != SOAPY_SDR_RX) throw std::runtime_error("napvirtual: receives only");
        if (format != SOAPY_SDR_CF32 and format != SOAPY_SDR_CS16)
            throw std::runtime_error("napvirtual: no stream format " + format);
        _shorts = format == SOAPY_SDR_CS16;
        return reinterpret_cast<SoapySDR::Stream *>(this);
    }
    void closeStream(SoapySDR::Stream *) override {}
    size_t getStreamMTU(SoapySDR::Stream *) const override
    {
        return size_t(_rate_hz * BLOCK_S * std::max(1.0, _timeline.speed));
    }
    int activateStream(SoapySDR::Stream *, const int, const long long, const size_t) override
    {
        _next_s = std::ceil(_timeline.now_s() * _recorded_rate_hz) / _recorded_rate_hz;
        return 0;
    }
    int deactivateStream(SoapySDR::Stream *, const int, const long long) override { return 0; }

    int readStream(SoapySDR::Stream *stream, void *const *buffers, const size_t wanted, int &flags, long long &time_ns,
                   const long timeout_us) override
    {
        const auto mishap = _timeline.schedule.at(_next_s);
        if (mishap.fault != Fault::none)
        {
            const int code = misbehave(mishap, double(timeout_us) * 1e-6);
            if (code < 0) return code;
        }
        if (_timeline.now_s() - _next_s > BUFFER_S * _timeline.speed)
        {
            lose_until(_timeline.now_s());
            return SOAPY_SDR_OVERFLOW;
        }
        const double step_s = 1.0 / (_rate_hz * (mishap.fault == Fault::rate ? SLOW_CLOCK : 1.0));
        const size_t count = std::min(wanted, getStreamMTU(stream));
        const double missing_s = (_next_s + double(count) * step_s - _timeline.now_s()) / _timeline.speed;
        if (missing_s * 1e6 > double(timeout_us))
        {
            sleep_s(double(timeout_us) * 1e-6);
            return SOAPY_SDR_TIMEOUT;
        }
        if (missing_s > 0.0) sleep_s(missing_s);
        if (_timestamps)
        {
            flags |= SOAPY_SDR_HAS_TIME;
            time_ns = std::llround(_next_s * 1e9);
        }
        play(buffers[0], count, step_s, mishap.fault == Fault::stuck);
        return int(count);
    }

private:
    // Does what is scheduled; a code below 0 is what the read returns.
    int misbehave(const Mishap &mishap, double timeout_s)
    {
        switch (mishap.fault)
        {
        case Fault::stall:
        case Fault::hang:
            if (_timeline.now_s() >= mishap.end_s)
            {
                lose_until(mishap.end_s);
                return 0;
            }
            while (mishap.fault == Fault::hang) sleep_s(1.0);
            sleep_s(timeout_s);
            return SOAPY_SDR_TIMEOUT;
        case Fault::overflow:
            wait_until(mishap.end_s);
            lose_until(mishap.end_s);
            return SOAPY_SDR_OVERFLOW;
        case Fault::drop:
            wait_until(mishap.end_s);
            lose_until(mishap.end_s);
            return 0;
        case Fault::error:
            sleep_s(BLOCK_S);
            if (_timeline.now_s() >= mishap.end_s) lose_until(mishap.end_s);
            return SOAPY_SDR_CORRUPTION;
        case Fault::gone:
            sleep_s(BLOCK_S);
            return SOAPY_SDR_STREAM_ERROR;
        case Fault::crash: std::abort();
        default: return 0;
        }
    }

    void wait_until(double time_s) const
    {
        sleep_s(std::max(0.0, (time_s - _timeline.now_s()) / _timeline.speed));
    }

    void lose_until(double time_s)
    {
        _next_s = std::ceil(time_s * _recorded_rate_hz) / _recorded_rate_hz;
    }

    void play(void *buffer, size_t count, double step_s, bool stuck)
    {
        const double start_s = _next_s;
        const float gain = float(std::pow(10.0, (_lna_db + _vga_db - UNITY_GAIN_DB) / 20.0));
        const double offset_hz = _recorded_center_hz - _frequency_hz;
        const auto turn = std::polar(1.0, 2.0 * PI * std::fmod(offset_hz * step_s, 1.0));
        auto phasor = std::polar(1.0, 2.0 * PI * std::fmod(offset_hz * start_s, 1.0));
        for (size_t n = 0; n < count; n++)
        {
            const double position = (start_s + double(n) * step_s) * _recorded_rate_hz;
            Sample sample = _interpolator.at(_recording, position) * gain;
            sample *= Sample(phasor);
            phasor *= turn;
            sample += Sample(_dc + noise(), noise());
            store(buffer, n, stuck ? Sample(_dc, 0.25f) : sample);
        }
        _next_s = start_s + double(count) * step_s;
    }

    float noise()
    {
        return CONVERTER_NOISE * (float(_random()) / 1073741824.0f - 1.0f);
    }

    void store(void *buffer, size_t n, Sample sample) const
    {
        const auto limit = [](float part) { return std::clamp(part, -1.0f, 32767.0f / 32768.0f); };
        sample = Sample(limit(sample.real()), limit(sample.imag()));
        if (_shorts)
        {
            auto *parts = static_cast<std::int16_t *>(buffer) + 2 * n;
            parts[0] = std::int16_t(std::lround(sample.real() * 32768.0f));
            parts[1] = std::int16_t(std::lround(sample.imag() * 32768.0f));
        }
        else
        {
            static_cast<Sample *>(buffer)[n] = sample;
        }
    }

    Timeline _timeline;
    double _recorded_rate_hz;
    Recording _recording;
    Interpolator _interpolator;
    double _recorded_center_hz;
    float _dc;
    bool _timestamps;
    double _rate_hz;
    double _frequency_hz;
    double _bandwidth_hz = 200e3;
    double _lna_db = 20.0;
    double _vga_db = 20.0;
    std::string _antenna = "RX";
    SoapySDR::Kwargs _settings;
    bool _shorts = false;
    // Where in the recording the next sample is, in seconds.
    double _next_s = 0.0;
    std::minstd_rand _random;
};

SoapySDR::KwargsList find(const SoapySDR::Kwargs &given)
{
    const auto args = with_environment(given);
    if (text(args, "file", "").empty()) return {};
    const Timeline timeline(args);
    if (timeline.schedule.at(timeline.now_s()).fault == Fault::gone) return {};
    SoapySDR::Kwargs found = given;
    found["label"] = "Recording " + text(args, "file", "");
    return {found};
}

SoapySDR::Device *make(const SoapySDR::Kwargs &args)
{
    return new VirtualDevice(with_environment(args));
}

const SoapySDR::Registry registration("napvirtual", &find, &make, SOAPY_SDR_ABI_VERSION);
}
