//! From a decision to frames: measured, cancelled and reported once.

use nap_dsp::canceller::KnownBurst;
use nap_dsp::noise_floor::NoiseFloor;

use super::context::Context;
use super::decision::Reading;
use super::decoded_frame::DecodedFrame;
use super::decoder::symbols::symbol_signs;
use super::joint::fragment::Fragment;
use super::masking::Cover;
use crate::radio::bit_rate::BitRate;

/// Reports the frames of one bit rate, and remembers them so that no signal is reported twice.
pub(super) struct FrameReporter {
    bit_rate: BitRate,
    recent: Vec<DecodedFrame>,
}

impl FrameReporter {
    /// A reporter that has reported nothing.
    pub(super) fn new(bit_rate: BitRate) -> Self {
        Self { bit_rate, recent: Vec::new() }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.recent.clear();
    }

    /// Forgets frames that ended before `time_s`.
    pub(super) fn forget(&mut self, time_s: f64) {
        self.recent.retain(|frame| frame.end_s() >= time_s);
    }

    /// The frames decoded lately.
    pub(super) fn recent(&self) -> &[DecodedFrame] {
        &self.recent
    }

    /// Measures a frame that is now known to the last bit, cancels it in the band and reports it, unless
    /// that has been done before. Returns whether it is news.
    pub(super) fn report(
        &mut self,
        fragment: &Fragment,
        reading: &Reading,
        noise: &mut NoiseFloor,
        context: &mut Context,
    ) -> bool {
        let frame = self.measured(fragment, reading, noise, context);
        if self.recent.iter().any(|recent| fragment.repeats(recent, &frame.container)) {
            return false;
        }
        context.frames.push(frame.clone());
        self.recent.push(frame);
        true
    }

    fn measured(
        &self,
        fragment: &Fragment,
        reading: &Reading,
        noise: &mut NoiseFloor,
        context: &mut Context,
    ) -> DecodedFrame {
        let (frame_type, symbol_s) = (fragment.frame_type, self.bit_rate.symbol_s());
        let signs = symbol_signs(&reading.container.bitstream(frame_type.rank));
        let measurement = fragment.soft.measure(&signs);
        let subband = context.band.grid.nearest(measurement.carrier.frequency_hz);
        let symbol_energy = measurement.power * symbol_s;
        let density = noise.density_under(subband, symbol_energy);
        let eb_over_n0 =
            if density > 0.0 { symbol_energy / density } else { fragment.soft.es_over_n0() };
        let track = &measurement.track;
        let burst = KnownBurst { signs: &signs, symbol_s, track, es_over_n0: eb_over_n0 };
        let cover = Cover::of_track(track, symbol_s, measurement.power);
        context.band.cancel(&burst, cover);
        context.undecoded.explain(cover);
        DecodedFrame {
            frame_type,
            container: reading.container.clone(),
            bit_rate: self.bit_rate,
            decoder: reading.decoder,
            crc_ok: reading.crc_ok,
            measurement,
            eb_over_n0,
        }
    }
}
