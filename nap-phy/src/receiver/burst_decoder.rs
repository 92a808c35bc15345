//! From a burst to what one frame says.

use nap_dsp::demodulator::Demodulator;
use nap_dsp::synchronizer::Hypothesis;

use super::band::Band;
use super::bursts::{Burst, due_s};
use super::context::Context;
use super::decision::{Decision, Reading};
use super::decoder::container_search::ContainerSearch;
use super::decoder::list_decoder::{Decoded, Search};
use super::decoder::symbols::{symbol_count, sync_words};
use super::decoder::tuning::DecoderTuning;
use super::joint::undecoded_frame::UndecodedFrame;
use super::statistics::Statistics;
use super::tuning::Tuning;
use crate::message::Decoder;
use crate::radio::bit_rate::BitRate;
use crate::uplink::frame_type::FrameType;

/// What came of a trial to decode a burst by itself.
pub(super) enum Trial {
    /// A frame.
    Decoded(Decision),
    /// Nothing yet: some of the hypotheses are not due.
    Unfinished,
    /// Nothing.
    Failed,
}

/// Decodes the bursts of one bit rate, each by itself.
pub(super) struct BurstDecoder {
    bit_rate: BitRate,
    tuning: DecoderTuning,
    sync_words: Vec<Vec<f64>>,
    demodulator: Demodulator,
}

impl BurstDecoder {
    /// A decoder for carriers that drift no more than so much, with these thresholds.
    pub(super) fn new(bit_rate: BitRate, max_drift_hz_per_s: f64, tuning: &Tuning) -> Self {
        let symbol_rate_hz = f64::from(bit_rate.bits_per_s());
        let demodulator =
            Demodulator::new(symbol_rate_hz, max_drift_hz_per_s).tuned(tuning.demodulator);
        Self { bit_rate, tuning: tuning.decoder, sync_words: sync_words(), demodulator }
    }

    /// Tries the burst's hypotheses that are due by `now_s`, in noise of this density, in (full scale)² per
    /// hertz. What did not decode stays with the burst.
    pub(super) fn decode(
        &mut self,
        burst: &mut Burst,
        containers: &mut ContainerSearch,
        context: &mut Context,
        noise_density: f64,
        now_s: f64,
    ) -> Trial {
        self.demodulator.expect_noise(noise_density);
        self.load(&context.band, burst, now_s);
        let statistics = &mut context.statistics;
        while let Some(hypothesis) = burst.try_next(now_s, self.bit_rate) {
            statistics.hypotheses += 1;
            let share = burst.share();
            let mut undecoded = self.demodulate_as(&hypothesis, 0.0);
            let mut search = undecoded.as_ref().map_or_else(Search::default, |undecoded| {
                self.search(undecoded, share, containers, statistics)
            });
            // By the wrong clock the last symbols are clear and wrong, and some of the list may pass the check sum. By the
            // right one the burst is likelier.
            let is_likeliest = search.found.as_ref().is_some_and(|found| found.index == 0);
            if !is_likeliest
                && let Some(nominal) = &undecoded
                && let Some(own_clock) = self.demodulate_by_own_clock(&hypothesis)
                && own_clock.soft.ln_likelihood_ratio > nominal.soft.ln_likelihood_ratio
            {
                search = self.search(&own_clock, share, containers, statistics).after(&search);
                undecoded = Some(own_clock);
            }
            // Where nothing was decided, competing hypotheses have no larger share of the budget.
            burst.attempt.is_rejected |= search.rejected > 0;
            burst.attempt.competing.reject(search.rejected_probability);
            let Some(undecoded) = undecoded else { continue };
            if let Some(Decoded { container, index, ln_odds }) = search.found {
                let decoder = if index == 0 { Decoder::Single } else { Decoder::List };
                let reading = Reading { container, decoder, crc_ok: true, ln_odds };
                return Trial::Decoded(Decision { reading, undecoded_frames: vec![undecoded] });
            }
            burst.attempt.undecoded_frames.push(undecoded);
        }
        if burst.untried().is_empty() { Trial::Failed } else { Trial::Unfinished }
    }

    /// The container of a frame, which with the probability `share` is one; where its carrier may have gone on half
    /// a turn off, both ways are tried.
    fn search(
        &self,
        undecoded: &UndecodedFrame,
        share: f64,
        containers: &mut ContainerSearch,
        statistics: &mut Statistics,
    ) -> Search {
        let class = undecoded.frame_type.class;
        if undecoded.soft.half_turns.is_empty() {
            return containers.in_frame(&undecoded.container, class, share, statistics);
        }
        let mut all = Search::default();
        for (container, probability) in undecoded.readings() {
            let share = self.tuning.faded_share * share * probability;
            let mut search = containers.in_frame(&container, class, share, statistics);
            search.rejected_probability *= probability;
            all = search.after(&all);
            if all.found.is_some() {
                break;
            }
        }
        all
    }

    /// Takes the stretch of all of the burst's hypotheses that are due to the demodulator.
    fn load(&mut self, band: &Band, burst: &Burst, now_s: f64) {
        let end_s = |hypothesis: &Hypothesis| due_s(hypothesis, self.bit_rate);
        let due = burst.untried().iter().filter(|h| end_s(h) <= now_s);
        let (from_s, to_s) = due.fold((f64::INFINITY, f64::NEG_INFINITY), |(from_s, to_s), h| {
            (from_s.min(h.start_s), to_s.max(end_s(h)))
        });
        if from_s < to_s {
            let carrier = &burst.best().carrier;
            self.demodulator.load(&band.history, &band.grid, carrier, (from_s, to_s));
        }
    }

    /// The same with the transmitter's own clock, if that is off.
    fn demodulate_by_own_clock(&mut self, hypothesis: &Hypothesis) -> Option<UndecodedFrame> {
        if hypothesis.correlation < self.tuning.min_clock_correlation {
            return None;
        }
        let count = symbol_count(FrameType::ALL[hypothesis.sync_word]);
        let place = (hypothesis.start_s, hypothesis.carrier);
        let clock_error = self.demodulator.clock_error(place, count)?;
        self.demodulate_as(hypothesis, clock_error)
    }

    /// The frame that a hypothesis expects, if there is a carrier all along it.
    fn demodulate_as(
        &mut self,
        hypothesis: &Hypothesis,
        clock_error: f64,
    ) -> Option<UndecodedFrame> {
        let frame_type = FrameType::ALL[hypothesis.sync_word];
        let known = &self.sync_words[hypothesis.sync_word];
        let start = (hypothesis.start_s, hypothesis.carrier);
        let count = symbol_count(frame_type);
        let soft = self.demodulator.acquire(start, known, count, clock_error)?;
        Some(UndecodedFrame::new(soft, frame_type, self.tuning.priors))
    }
}
