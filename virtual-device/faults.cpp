#include "faults.hpp"

#include <map>
#include <sstream>
#include <stdexcept>

namespace
{
const std::map<std::string, Fault> NAMES = {
    {"stall", Fault::stall}, {"hang", Fault::hang},   {"overflow", Fault::overflow},
    {"drop", Fault::drop},   {"rate", Fault::rate},   {"error", Fault::error},
    {"stuck", Fault::stuck}, {"gone", Fault::gone},   {"crash", Fault::crash},
};
const double DEFAULT_DURATION_S = 0.5;

Mishap parse(const std::string &text)
{
    const auto at = text.find('@');
    const auto name = NAMES.find(text.substr(0, at));
    if (at == std::string::npos or name == NAMES.end())
        throw std::invalid_argument("napvirtual: faults: `" + text + "` is not like stall@4+2");
    const auto plus = text.find('+', at);
    const double start_s = std::stod(text.substr(at + 1));
    const double duration_s = plus == std::string::npos ? DEFAULT_DURATION_S : std::stod(text.substr(plus + 1));
    return {name->second, start_s, start_s + duration_s};
}
}

Schedule::Schedule(const std::string &text)
{
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, ';');)
    {
        if (not part.empty()) _mishaps.push_back(parse(part));
    }
}

Mishap Schedule::at(double time_s) const
{
    for (const auto &mishap : _mishaps)
    {
        if (mishap.start_s <= time_s and time_s < mishap.end_s) return mishap;
    }
    return {Fault::none, 0.0, 0.0};
}
