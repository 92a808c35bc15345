//! The plainest receiver there is, told where the frames are: what no other may be worse than.

use std::f64::consts::TAU;

use anyhow::Result;
use nap_phy::scene::{Scene, Shape, Truth, TruthFrame, TruthMessage};
use nap_phy::{Frame, Uplink};
use num_complex::{Complex32, Complex64};

/// Bits before the content of a frame: preamble and frame type.
const KNOWN_BYTES: usize = 4;

/// How many messages of a scene a differential detector reads that is told start and carrier of each
/// frame: means over a symbol, the sign of the product of neighbours as a bit, and the check sum
/// of any frame. It knows neither how a carrier wanders nor that a symbol clock is off.
///
/// # Errors
/// When the scene cannot be set up.
pub fn heard_differentially(scene: &Scene) -> Result<usize> {
    let (mut simulator, truth) = scene.build()?;
    let mut samples = vec![Complex32::ZERO; scene.samples() as usize];
    simulator.render(&mut samples);
    let detector = Detector { samples: &samples, truth: &truth };
    Ok(truth.messages.iter().filter(|message| detector.hears(message)).count())
}

struct Detector<'a> {
    samples: &'a [Complex32],
    truth: &'a Truth,
}

impl Detector<'_> {
    fn hears(&self, message: &TruthMessage) -> bool {
        let Ok(uplink) = message.uplink() else { return false };
        message.frames.iter().any(|frame| {
            let sent = uplink.container(&message.key).bitstream(frame.rank);
            self.read(message, frame, &sent).as_ref() == Some(&uplink)
        })
    }

    /// What a frame says, if its check sum is right.
    fn read(&self, message: &TruthMessage, frame: &TruthFrame, sent: &[u8]) -> Option<Uplink> {
        let symbol_s = message.bit_rate.symbol_s();
        // The S2-LP turns the phase in the middle of a bit.
        let delay_s = if frame.shape == Some(Shape::S2lp) { 0.5 * symbol_s } else { 0.0 };
        let symbol = |k: usize| {
            let start_s = delay_s + k as f64 * symbol_s;
            self.mean(frame, start_s, start_s + symbol_s)
        };
        let symbols: Vec<Complex64> = (0..=8 * sent.len()).map(symbol).collect();
        let bits: Vec<bool> =
            symbols.windows(2).map(|pair| (pair[1] * pair[0].conj()).re > 0.0).collect();
        let mut bytes: Vec<u8> = bits
            .chunks(8)
            .map(|bits| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit)))
            .collect();
        bytes[..KNOWN_BYTES].copy_from_slice(&sent[..KNOWN_BYTES]);
        Frame::parse(&bytes).ok()?.container().uplink().ok()
    }

    /// Sum over a time after the frame's start, the frame's carrier mixed out.
    fn mean(&self, frame: &TruthFrame, from_s: f64, to_s: f64) -> Complex64 {
        let rate_hz = self.truth.sample_rate;
        let index = |t_s: f64| {
            let index = ((frame.time_s + t_s) * rate_hz).round() as usize;
            index.min(self.samples.len())
        };
        let offset_hz = frame.frequency_hz - self.truth.center_hz;
        let (from, to) = (index(from_s), index(to_s));
        let start_s = from as f64 / rate_hz - frame.time_s;
        let cycles = offset_hz * start_s + 0.5 * frame.drift_hz_per_s * start_s * start_s;
        let frequency_hz = offset_hz + frame.drift_hz_per_s * 0.5 * (from_s + to_s);
        let mut phasor = Complex64::cis(-TAU * cycles.fract());
        let step = Complex64::cis(-TAU * frequency_hz / rate_hz);
        let mut sum = Complex64::ZERO;
        for sample in &self.samples[from..to] {
            sum += phasor * Complex64::new(sample.re.into(), sample.im.into());
            phasor *= step;
        }
        sum
    }
}
