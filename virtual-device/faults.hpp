// What the device is told to do wrong, and when.
#pragma once

#include <string>
#include <vector>

enum class Fault
{
    none,
    stall,    // no samples: reads run into their timeouts
    hang,     // a read does not return at all
    overflow, // samples are lost, and the device says so
    drop,     // samples are lost, and the device says nothing
    rate,     // a tenth of the samples is missing: the clock is slow
    error,    // reads return an error code
    stuck,    // the same value again and again
    gone,     // unplugged: reads fail, and the device cannot be found or opened
    crash,    // the driver takes its process along
};

struct Mishap
{
    Fault fault;
    double start_s;
    double end_s;
};

// Mishaps in the time of the recording: `stall@4+2;overflow@8+0.5;gone@10+3`.
class Schedule
{
public:
    // Throws std::invalid_argument for a text that is no schedule.
    explicit Schedule(const std::string &text);

    // What is wrong at a time, in seconds of the recording.
    Mishap at(double time_s) const;

private:
    std::vector<Mishap> _mishaps;
};
