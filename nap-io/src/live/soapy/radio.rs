//! A radio of SoapySDR with errors that say what was asked of which one.

use soapysdr::Direction::Rx;

use super::list::Range;
use crate::error::Error;

/// The setting that feeds the antenna, by driver (the modules' `getSettingInfo`).
const BIAS_TEES: [(&str, &str); 5] = [
    ("RTLSDR", "biastee"),
    ("HackRF", "bias_tx"),
    ("Airspy", "biastee"),
    ("AirspyHF", "biastee"),
    ("SDRplay", "biasT_ctrl"),
];

pub(super) struct Radio {
    pub(super) inner: soapysdr::Device,
    arguments: String,
    channel: usize,
}

impl Radio {
    pub(super) fn open(arguments: &str, channel: usize) -> Result<Self, Error> {
        let inner = soapysdr::Device::new(arguments).map_err(|error| {
            let advice = "`nap radios` lists what is plugged in; is another program using it?";
            Error::radio(arguments, format!("cannot open the radio: {error}; {advice}"))
        })?;
        let radio = Self { inner, arguments: arguments.into(), channel };
        let channels = radio.check("count the channels of", radio.inner.num_channels(Rx))?;
        if channel >= channels {
            return Err(radio.refusal(format!(
                "there is no channel {channel} among {channels} that receive; they count from 0"
            )));
        }
        Ok(radio)
    }

    pub(super) fn error(&self, action: &str, error: &soapysdr::Error) -> Error {
        let (code, message) = (error.code, error.message.trim());
        let separator = if message.is_empty() { "" } else { ": " };
        self.problem(format!("cannot {action} the radio: {code:?}{separator}{message}"))
    }

    fn refusal(&self, problem: String) -> Error {
        Error::refused(self.arguments.clone(), problem)
    }

    fn problem(&self, problem: String) -> Error {
        Error::radio(self.arguments.clone(), problem)
    }

    pub(super) fn check<T>(
        &self,
        action: &str,
        result: Result<T, soapysdr::Error>,
    ) -> Result<T, Error> {
        result.map_err(|error| self.error(action, &error))
    }

    /// Writes a setting of the driver. A driver takes any key without a word, and SoapySDR's Rust binding
    /// has no list of those that it knows: what can be asked for is what it reads back. Returns what should be
    /// told of that.
    pub(super) fn write_setting(&self, key: &str, value: &str) -> Result<Option<String>, Error> {
        self.check("write a setting of", self.inner.write_setting(key, value))?;
        let read = self.inner.read_setting(key).unwrap_or_default();
        Ok(doubt(key, value, &read))
    }

    pub(super) fn feed_antenna(&self) -> Result<(), Error> {
        let driver = self.check("ask for the driver of", self.inner.driver_key())?;
        let setting = BIAS_TEES.iter().find(|(name, _)| *name == driver);
        let Some((_, key)) = setting else {
            return Err(self.refusal(format!(
                "how {driver} feeds an amplifier at the antenna is not known here; give its own setting \
                 as KEY=VALUE"
            )));
        };
        self.write_setting(key, "true").map(drop)
    }

    pub(super) fn set_antenna(&self, name: &str) -> Result<(), Error> {
        let known = self.check("list the antennas of", self.inner.antennas(Rx, self.channel))?;
        if !known.iter().any(|antenna| antenna == name) {
            let known = known.join(", ");
            return Err(self.refusal(format!("there is no antenna {name:?}, but {known}")));
        }
        self.check("choose the antenna of", self.inner.set_antenna(Rx, self.channel, name))
    }

    /// The sample rates as ranges from low to high.
    pub(super) fn rates_hz(&self) -> Result<Vec<(f64, f64)>, Error> {
        let ranges = self.inner.get_sample_rate_range(Rx, self.channel);
        let ranges = self.check("ask for the sample rates of", ranges)?;
        Ok(ranges.iter().map(|range| (range.minimum, range.maximum)).collect())
    }

    /// The frequencies as ranges from low to high.
    fn frequencies_hz(&self) -> Result<Vec<(f64, f64)>, Error> {
        let ranges = self.inner.frequency_range(Rx, self.channel);
        let ranges = self.check("ask for the frequencies of", ranges)?;
        Ok(ranges.iter().map(|range| (range.minimum, range.maximum)).collect())
    }

    /// Sets the sample rate and returns what the radio says it has set.
    pub(super) fn set_rate(&self, rate_hz: f64) -> Result<f64, Error> {
        let ranges_hz = self.rates_hz()?;
        let refused = || {
            let ranges = ranges_text(&ranges_hz, 1e3);
            let text =
                format!("it has no sample rate of {} kS/s; take one of {ranges}", rate_hz / 1e3);
            self.refusal(text)
        };
        if !is_within(rate_hz, &ranges_hz) {
            return Err(refused());
        }
        let result = self.inner.set_sample_rate(Rx, self.channel, rate_hz);
        if result.is_err() && !ranges_hz.iter().any(|&range| is_within(rate_hz, &[range])) {
            return Err(refused());
        }
        self.check("set the sample rate of", result)?;
        self.check("read back the sample rate of", self.inner.sample_rate(Rx, self.channel))
    }

    pub(super) fn set_bandwidth(&self, bandwidth_hz: f64) -> Result<(), Error> {
        let result = self.inner.set_bandwidth(Rx, self.channel, bandwidth_hz);
        self.check("set the bandwidth of", result)
    }

    /// Tunes and returns where the radio says it is tuned to.
    pub(super) fn tune(&self, frequency_hz: f64) -> Result<f64, Error> {
        let ranges_hz = self.frequencies_hz()?;
        if !is_within(frequency_hz, &ranges_hz) {
            let ranges = ranges_text(&ranges_hz, 1e6);
            let text = format!("it does not reach {:.6} MHz, only {ranges}", frequency_hz / 1e6);
            return Err(self.refusal(text));
        }
        let result = self.inner.set_frequency(Rx, self.channel, frequency_hz, ());
        self.check("tune", result)?;
        self.check("read back the frequency of", self.inner.frequency(Rx, self.channel))
    }

    pub(super) fn switch_automatic_gain_off(&self) -> Result<(), Error> {
        let has = self.inner.has_gain_mode(Rx, self.channel);
        if self.check("ask for the gain control of", has)? {
            let result = self.inner.set_gain_mode(Rx, self.channel, false);
            self.check("switch off the gain control of", result)?;
        }
        Ok(())
    }

    pub(super) fn set_gain(&self, gain_db: f64) -> Result<(), Error> {
        self.switch_automatic_gain_off()?;
        self.check("set the gain of", self.inner.set_gain(Rx, self.channel, gain_db))
    }

    pub(super) fn set_gain_element(&self, name: &str, gain_db: f64) -> Result<(), Error> {
        let known = self.check("list the gains of", self.inner.list_gains(Rx, self.channel))?;
        if !known.iter().any(|element| element == name) {
            let known = known.join(", ");
            return Err(self.refusal(format!("there is no gain {name:?}, but {known}")));
        }
        let result = self.inner.set_gain_element(Rx, self.channel, name, gain_db);
        self.check("set the gain of", result)
    }

    pub(super) fn gain_range(&self) -> Result<Range, Error> {
        let range = self.check("ask for the gain of", self.inner.gain_range(Rx, self.channel))?;
        Ok(Range { low: range.minimum, high: range.maximum })
    }

    pub(super) fn lower_gain(&self, by_db: f64) -> Result<(), Error> {
        let gain_db = self.check("ask for the gain of", self.inner.gain(Rx, self.channel))?;
        self.set_gain((gain_db - by_db).max(self.gain_range()?.low))
    }

    /// What the radio is and how it is set, for people.
    pub(super) fn description(&self) -> Result<String, Error> {
        let driver = self.check("ask for the driver of", self.inner.driver_key())?;
        let hardware = self.check("ask for the kind of", self.inner.hardware_key())?;
        let antenna = self.check("ask for the antenna of", self.inner.antenna(Rx, self.channel))?;
        let gain_db = self.check("ask for the gain of", self.inner.gain(Rx, self.channel))?;
        Ok(format!("{driver} {hardware}, antenna {antenna}, gain {gain_db:.1} dB"))
    }
}

/// What should be told of a setting that reads so after it was written.
fn doubt(key: &str, value: &str, read: &str) -> Option<String> {
    (read.is_empty() && !value.is_empty()).then(|| {
        format!(
            "the driver has taken the setting {key}={value}, but reads nothing back: it may not have it; \
             `SoapySDRUtil --probe` lists those that it has"
        )
    })
}

/// Whether a value lies between the lowest and the highest that a radio tells of; what lies between two of
/// its ranges it may round. A radio that tells of none takes what it takes.
fn is_within(value: f64, ranges: &[(f64, f64)]) -> bool {
    // Floats of drivers are off in the last digits.
    let (low, high) = ranges
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), r| (low.min(r.0), high.max(r.1)));
    ranges.is_empty() || (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(&value)
}

/// Ranges for people.
fn ranges_text(ranges: &[(f64, f64)], unit: f64) -> String {
    let text = |&(low, high): &(f64, f64)| {
        if low == high {
            format!("{}", low / unit)
        } else {
            format!("{} to {}", low / unit, high / unit)
        }
    };
    ranges.iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_does_not_read_back_is_doubtful() {
        assert_eq!(doubt("biastee", "true", "true"), None);
        assert_eq!(doubt("biastee", "1", "true"), None, "in the driver's own words");
        assert_eq!(doubt("biastee", "", ""), None);
        let text = doubt("bias_te", "true", "").unwrap_or_default();
        assert!(text.contains("the setting bias_te=true, but reads nothing back"), "{text}");
    }

    #[test]
    fn what_lies_outside_all_ranges_is_known() {
        let ranges = [(225_001.0, 300e3), (900_001.0, 3.2e6)];
        for value in [225_001.0, 250e3, 500e3, 3.2e6] {
            assert!(is_within(value, &ranges), "{value}");
        }
        for value in [0.0, 225_000.0, 3.3e6] {
            assert!(!is_within(value, &ranges), "{value}");
        }
        assert!(is_within(1.0, &[]));
        assert_eq!(ranges_text(&[(250e3, 250e3), (900e3, 3.2e6)], 1e3), "250, 900 to 3200");
    }
}
