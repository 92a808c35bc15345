//! A radio at work, as a live source.

use std::time::Duration;

use num_complex::Complex32;
use soapysdr::{ErrorCode, RxStream};

use super::c_text;
use super::gain::{self, Overload};
use super::radio::Radio;
use super::stamps::Stamps;
use crate::error::Error;
use crate::format::SampleFormat;
use crate::live::source::{LiveSource, Reading};
use crate::live::tuning::{Gain, Tuning};
use crate::stream_info::{StreamInfo, true_to_nominal};

/// A radio, set up and running.
pub struct Soapy {
    info: StreamInfo,
    radio: Radio,
    stream: RxStream<Complex32>,
    most: usize,
    stamps: Stamps,
    has_overflowed: bool,
    /// Looks after the gain, if it was found by trying.
    overload: Option<Overload>,
}

impl Soapy {
    /// Opens the radio that `arguments` (`driver=rtlsdr,serial=1`) choose, sets it as `tuning` says
    /// and starts it. What it says it has set is in [`LiveSource::info`], and what differs from what
    /// was asked for in its warnings.
    ///
    /// # Errors
    /// [`Error::Radio`] if there is no such radio, or it fails; [`Error::Refused`] for what it does not have,
    /// and for a NUL in a text.
    pub fn open(arguments: &str, tuning: &Tuning) -> Result<Self, Error> {
        let settings = tuning.settings.iter().flat_map(|(key, value)| [key.as_str(), value]);
        c_text::check(arguments, settings.chain([arguments]))?;
        let radio = Radio::open(arguments, tuning.channel)?;
        let info = set(&radio, tuning)?;
        let mut stream = radio
            .check("set up the stream of", radio.inner.rx_stream::<Complex32>(&[tuning.channel]))?;
        let mtu = radio.check("ask for the block size of", stream.mtu())?;
        radio.check("start", stream.activate(None))?;
        let mut soapy = Self {
            stamps: Stamps::new(info.sample_rate_hz),
            info,
            radio,
            stream,
            most: mtu.max(1),
            has_overflowed: false,
            overload: None,
        };
        if tuning.gain == Gain::Auto {
            soapy.find_gain()?;
            soapy.overload = Some(Overload::new(soapy.info.sample_rate_hz));
        }
        Ok(soapy)
    }

    fn find_gain(&mut self) -> Result<(), Error> {
        let mut trials = Vec::new();
        for gain_db in gain::steps(self.radio.gain_range()?) {
            self.radio.set_gain(gain_db)?;
            self.collect(gain::SETTLE_S)?;
            trials.push(gain::Trial::new(gain_db, &self.collect(gain::LISTEN_S)?));
        }
        let gain_db = gain::choose(&trials).unwrap_or_default();
        self.radio.set_gain(gain_db)?;
        self.info.description = Some(self.radio.description()?);
        Ok(())
    }

    /// Samples of so many seconds, or as many as come in four times that.
    fn collect(&mut self, duration_s: f64) -> Result<Vec<Complex32>, Error> {
        let wanted = (duration_s * self.info.sample_rate_hz) as usize;
        let (mut all, mut block) = (Vec::new(), Vec::new());
        let deadline = std::time::Instant::now() + Duration::from_secs_f64(0.2 + 4.0 * duration_s);
        while all.len() < wanted && std::time::Instant::now() < deadline {
            self.read(&mut block, wanted, Duration::from_millis(100))?;
            all.extend_from_slice(&block);
        }
        Ok(all)
    }
}

/// Sets the radio and reads back what it has set.
fn set(radio: &Radio, tuning: &Tuning) -> Result<StreamInfo, Error> {
    let mut warnings = Vec::new();
    for (key, value) in &tuning.settings {
        warnings.extend(radio.write_setting(key, value)?);
    }
    if tuning.bias_tee {
        radio.feed_antenna()?;
    }
    if let Some(antenna) = &tuning.antenna {
        radio.set_antenna(antenna)?;
    }
    let wanted_hz = tuning.sample_rate_hz.or(tuning.choose_rate(&radio.rates_hz()?));
    let nominal_hz = radio.set_rate(wanted_hz.unwrap_or(1.024e6))?;
    if let Some(bandwidth_hz) = tuning.bandwidth_hz {
        radio.set_bandwidth(bandwidth_hz)?;
    }
    match &tuning.gain {
        Gain::Default => {}
        Gain::Auto => radio.switch_automatic_gain_off()?,
        Gain::Total(gain_db) => radio.set_gain(*gain_db)?,
        Gain::Elements(elements) => {
            radio.switch_automatic_gain_off()?;
            for (name, gain_db) in elements {
                radio.set_gain_element(name, *gain_db)?;
            }
        }
    }
    // A crystal that is too fast makes every frequency of the receiver too high, the sample rate too.
    let true_to_nominal = true_to_nominal(tuning.ppm);
    let center_hz = tuning.center_hz(nominal_hz);
    let tuned_hz = radio.tune(center_hz / true_to_nominal)? * true_to_nominal;
    let mut info = StreamInfo::new(nominal_hz * true_to_nominal, SampleFormat::Cf32Le);
    info.center_hz = Some(tuned_hz);
    info.description = Some(radio.description()?);
    info.warnings = warnings;
    if let Some(asked_hz) = tuning.sample_rate_hz.filter(|hz| (hz - nominal_hz).abs() > 1.0) {
        info.warnings
            .push(format!("the radio has set {nominal_hz} samples a second instead of {asked_hz}"));
    }
    if (tuned_hz - center_hz).abs() > 1e3 {
        info.warnings.push(format!(
            "the radio is tuned to {:.6} MHz instead of {:.6} MHz",
            tuned_hz / 1e6,
            center_hz / 1e6
        ));
    }
    Ok(info)
}

impl LiveSource for Soapy {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(
        &mut self,
        samples: &mut Vec<Complex32>,
        count: usize,
        timeout: Duration,
    ) -> Result<Reading, Error> {
        samples.clear();
        samples.resize(count.min(self.most), Complex32::ZERO);
        let timeout_us = i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX);
        let result = self.stream.read(&mut [samples.as_mut_slice()], timeout_us);
        samples.truncate(*result.as_ref().unwrap_or(&0));
        match result {
            Ok(0) => Ok(Reading::Nothing),
            Ok(count) => {
                let told = std::mem::take(&mut self.has_overflowed);
                let loss = self.stamps.follow(self.stream.time_ns(), count as u64, told);
                if let Some(overload) = &mut self.overload
                    && overload.look(samples)
                {
                    self.radio.lower_gain(gain::STEP_DOWN_DB)?;
                }
                Ok(Reading::Samples(loss))
            }
            Err(error) if error.code == ErrorCode::Timeout => Ok(Reading::Nothing),
            Err(error) if error.code == ErrorCode::Overflow => {
                self.has_overflowed = true;
                Ok(Reading::Nothing)
            }
            Err(error) => Err(self.radio.error("read samples from", &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_is_not_there_is_named() {
        let error = Soapy::open("driver=nosuchdriver", &Tuning::default()).err().unwrap();
        assert!(error.to_string().contains("driver=nosuchdriver"), "{error}");
    }

    #[test]
    fn texts_that_c_cannot_hold_are_refused() {
        let refused = |result: Result<Soapy, Error>| {
            assert!(matches!(result.err(), Some(Error::Refused { .. })));
        };
        refused(Soapy::open("driver=a\0b", &Tuning::default()));
        let tuning = Tuning { settings: vec![("key".into(), "a\0b".into())], ..Tuning::default() };
        refused(Soapy::open("driver=null", &tuning));
        assert!(super::super::list::list("driver=\0").is_err());
    }
}
