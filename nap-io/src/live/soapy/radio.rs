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
        Ok(Self { inner, arguments: arguments.into(), channel })
    }

    pub(super) fn error(&self, action: &str, error: &soapysdr::Error) -> Error {
        let (code, message) = (error.code, error.message.trim());
        let separator = if message.is_empty() { "" } else { ": " };
        self.problem(format!("cannot {action} the radio: {code:?}{separator}{message}"))
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

    pub(super) fn write_setting(&self, key: &str, value: &str) -> Result<(), Error> {
        self.check("write a setting of", self.inner.write_setting(key, value))
    }

    pub(super) fn feed_antenna(&self) -> Result<(), Error> {
        let driver = self.check("ask for the driver of", self.inner.driver_key())?;
        let setting = BIAS_TEES.iter().find(|(name, _)| *name == driver);
        self.write_setting(setting.map_or("biastee", |(_, key)| key), "true")
    }

    pub(super) fn set_antenna(&self, name: &str) -> Result<(), Error> {
        let known = self.check("list the antennas of", self.inner.antennas(Rx, self.channel))?;
        if !known.iter().any(|antenna| antenna == name) {
            let known = known.join(", ");
            return Err(self.problem(format!("there is no antenna {name:?}, but {known}")));
        }
        self.check("choose the antenna of", self.inner.set_antenna(Rx, self.channel, name))
    }

    /// The sample rates as ranges from low to high.
    pub(super) fn rates_hz(&self) -> Result<Vec<(f64, f64)>, Error> {
        let ranges = self.inner.get_sample_rate_range(Rx, self.channel);
        let ranges = self.check("ask for the sample rates of", ranges)?;
        Ok(ranges.iter().map(|range| (range.minimum, range.maximum)).collect())
    }

    /// Sets the sample rate and returns what the radio says it has set.
    pub(super) fn set_rate(&self, rate_hz: f64) -> Result<f64, Error> {
        let result = self.inner.set_sample_rate(Rx, self.channel, rate_hz);
        self.check("set the sample rate of", result)?;
        self.check("read back the sample rate of", self.inner.sample_rate(Rx, self.channel))
    }

    pub(super) fn set_bandwidth(&self, bandwidth_hz: f64) -> Result<(), Error> {
        let result = self.inner.set_bandwidth(Rx, self.channel, bandwidth_hz);
        self.check("set the bandwidth of", result)
    }

    /// Tunes and returns where the radio says it is tuned to.
    pub(super) fn tune(&self, frequency_hz: f64) -> Result<f64, Error> {
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
            return Err(self.problem(format!("there is no gain {name:?}, but {known}")));
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
