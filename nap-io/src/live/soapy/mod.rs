//! Receivers that SoapySDR has a module for.

mod device;
mod gain;
mod isolation;
mod list;
mod stamps;

use std::time::Duration;

use num_complex::Complex32;
use soapysdr::{ErrorCode, RxStream};

use crate::error::Error;
use crate::format::SampleFormat;
use crate::live::source::{LiveSource, Reading};
use crate::live::tuning::{Gain, Tuning};
use crate::stream_info::StreamInfo;
use device::Device;
use gain::Overload;
pub use isolation::drive;
pub(crate) use isolation::isolated;
pub use list::{Found, Range, list};
use stamps::Stamps;

/// A receiver, set up and running.
pub struct Soapy {
    info: StreamInfo,
    device: Device,
    stream: RxStream<Complex32>,
    most: usize,
    stamps: Stamps,
    has_overflowed: bool,
    /// Looks after the gain, if it was found by trying.
    overload: Option<Overload>,
}

impl Soapy {
    /// Opens the device that `arguments` (`driver=rtlsdr,serial=1`) choose, sets it as `tuning` says
    /// and starts it. What it says it has set is in [`LiveSource::info`], and what differs from what
    /// was asked for in its warnings.
    ///
    /// # Errors
    /// [`Error::Device`] if there is no such device, or it refuses a setting.
    pub fn open(arguments: &str, tuning: &Tuning) -> Result<Self, Error> {
        let device = Device::open(arguments, tuning.channel)?;
        let info = set(&device, tuning)?;
        let mut stream = device.check(
            "set up the stream of",
            device.inner.rx_stream::<Complex32>(&[tuning.channel]),
        )?;
        let mtu = device.check("ask for the block size of", stream.mtu())?;
        device.check("start", stream.activate(None))?;
        let mut soapy = Self {
            stamps: Stamps::new(info.sample_rate_hz),
            info,
            device,
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
        for gain_db in gain::steps(self.device.gain_range()?) {
            self.device.set_gain(gain_db)?;
            self.collect(gain::SETTLE_S)?;
            trials.push(gain::Trial::new(gain_db, &self.collect(gain::LISTEN_S)?));
        }
        let gain_db = gain::choose(&trials).unwrap_or_default();
        self.device.set_gain(gain_db)?;
        self.info.description = Some(self.device.description()?);
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

/// Sets the device and reads back what it has set.
fn set(device: &Device, tuning: &Tuning) -> Result<StreamInfo, Error> {
    for (key, value) in &tuning.settings {
        device.write_setting(key, value)?;
    }
    if tuning.bias_tee {
        device.feed_antenna()?;
    }
    if let Some(antenna) = &tuning.antenna {
        device.set_antenna(antenna)?;
    }
    let wanted_hz = tuning.sample_rate_hz.or(tuning.choose_rate(&device.rates_hz()?));
    let nominal_hz = device.set_rate(wanted_hz.unwrap_or(1.024e6))?;
    if let Some(bandwidth_hz) = tuning.bandwidth_hz {
        device.set_bandwidth(bandwidth_hz)?;
    }
    match &tuning.gain {
        Gain::Default => {}
        Gain::Auto => device.switch_automatic_gain_off()?,
        Gain::Total(gain_db) => device.set_gain(*gain_db)?,
        Gain::Elements(elements) => {
            device.switch_automatic_gain_off()?;
            for (name, gain_db) in elements {
                device.set_gain_element(name, *gain_db)?;
            }
        }
    }
    // A crystal that is too fast makes every frequency of the receiver too high, the sample rate too.
    let true_to_nominal = 1.0 + tuning.ppm * 1e-6;
    let center_hz = tuning.center_hz(nominal_hz);
    let tuned_hz = device.tune(center_hz / true_to_nominal)? * true_to_nominal;
    let mut info = StreamInfo::new(nominal_hz * true_to_nominal, SampleFormat::Cf32Le);
    info.center_hz = Some(tuned_hz);
    info.description = Some(device.description()?);
    if let Some(asked_hz) = tuning.sample_rate_hz.filter(|hz| (hz - nominal_hz).abs() > 1.0) {
        info.warnings.push(format!(
            "the device has set {nominal_hz} samples a second instead of {asked_hz}"
        ));
    }
    if (tuned_hz - center_hz).abs() > 1e3 {
        info.warnings.push(format!(
            "the device is tuned to {:.6} MHz instead of {:.6} MHz",
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
                    self.device.lower_gain(gain::STEP_DOWN_DB)?;
                }
                Ok(Reading::Samples(loss))
            }
            Err(error) if error.code == ErrorCode::Timeout => Ok(Reading::Nothing),
            Err(error) if error.code == ErrorCode::Overflow => {
                self.has_overflowed = true;
                Ok(Reading::Nothing)
            }
            Err(error) => Err(self.device.error("read samples from", &error)),
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
}
