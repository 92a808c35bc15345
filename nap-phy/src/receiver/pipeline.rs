//! The stages behind the filter bank, in the order of the signal.
//!
//! ```text
//! detect -> candidates -> bursts -> burst decoder -> joint decoder -> report -> cancel
//!   ^                                                                            |
//!   +----------------------------- what is left ---------------------------------+
//! ```
//!
//! Each bit rate has a [`Chain`] of its own. All of them work on one [`Band`], of which decoded bursts
//! are cancelled, and report to one [`Assembler`].

use std::sync::Arc;

use nap_dsp::subbands::SubbandGrid;
use num_complex::Complex32;

use super::alignment::least_common_multiple;
use super::band::Band;
use super::calibration::Calibration;
use super::chain::Chain;
use super::config::ReceiverConfig;
use super::context::Context;
use super::decoder::container_search::ContainerSearch;
use super::decoder::false_message_budget::FalseMessageBudget;
use super::event::Event;
use super::masking::Mask;
use super::message_assembler::{Assembler, Reporter};
use super::noise_density::NoiseDensity;
use crate::device::table::DeviceTable;

/// What is to be done next of what is due.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// Nothing, until there are more samples.
    Listen,
    /// Gather what may mask candidates.
    GatherMasks,
    /// Begin to go through the candidates of a chain.
    StartRound { chain: usize },
    /// Turn them into bursts.
    Synchronize { chain: usize },
    /// Decode bursts of a chain.
    Decode { chain: usize },
    /// Look where bursts were cancelled.
    DetectAgain,
    /// Tell what came of it.
    Report,
}

/// All that works on subbands.
pub(super) struct Pipeline {
    pub(super) context: Context,
    chains: Vec<Chain>,
    /// How far back the chains look, in seconds.
    lookback_s: f64,
    /// Bursts of all chains under which other signals may lie.
    masks: Vec<Mask>,
    calibration: Calibration,
    assembler: Assembler,
    pub(super) events: Vec<Event>,
    stage: Stage,
    /// Up to when all is due that is worked on, in seconds.
    now_s: f64,
}

impl Pipeline {
    /// The stages for subbands that lie in this grid.
    pub(super) fn new(grid: SubbandGrid, config: ReceiverConfig) -> Self {
        let devices = Arc::new(config.devices.clone());
        // Every bit rate has its share of the budget.
        let share = config.budget_share.divided_by(config.bit_rates.len());
        let budget = FalseMessageBudget::new(config.false_messages_per_day, share);
        let chain = |&bit_rate| {
            let max_known = config.limits.max_known_devices;
            let containers = ContainerSearch::new(
                Arc::clone(&devices),
                max_known,
                budget.clone(),
                config.tuning.decoder,
            );
            Chain::new(bit_rate, grid, &config, containers)
        };
        let mut chains: Vec<Chain> = config.bit_rates.iter().map(chain).collect();
        let hold_off_s = chains.iter().map(Chain::detection_s).fold(0.0, f64::max);
        chains.iter_mut().for_each(|chain| chain.set_hold_off(hold_off_s));
        let lookback_s = lookback_s(&config);
        let calibration =
            Calibration { center_hz: config.center_hz, full_scale_dbm: config.full_scale_dbm };
        let reporter = Reporter {
            calibration,
            radio_configuration: config.radio_configuration,
            channel_center_hz: config.reported_channel_center_hz,
            devices,
        };
        Self {
            context: Context::new(
                Band::new(grid, lookback_columns(&config, &grid), &config.tuning),
                config.sample_rate_hz,
                config.tuning.masking,
            ),
            chains,
            lookback_s,
            masks: Vec::new(),
            calibration,
            assembler: Assembler::new(reporter, lookback_s),
            events: Vec::new(),
            stage: Stage::Listen,
            now_s: 0.0,
        }
    }

    /// How much silence after the end of the last frame completes it, in seconds.
    pub(super) fn latency_s(&self) -> f64 {
        self.chains.iter().map(Chain::latency_s).fold(0.0, f64::max)
    }

    /// Begins at a column of a longer stream, whose columns' numbers and times count.
    pub(super) fn begin_at(&mut self, column: u64) {
        self.context.band.history.begin_at(column);
        self.chains.iter_mut().for_each(|chain| chain.begin_at(column));
    }

    /// Columns after which all chains search at once.
    pub(super) fn hop_columns(&self) -> u64 {
        self.chains.iter().map(Chain::hop_columns).fold(1, least_common_multiple)
    }

    /// Goes by these devices from now on.
    pub(super) fn set_devices(&mut self, devices: DeviceTable) {
        let devices = Arc::new(devices);
        self.chains.iter_mut().for_each(|chain| chain.set_devices(Arc::clone(&devices)));
        self.assembler.set_devices(devices);
    }

    /// The noise of every subband in which there was some, in the order of frequency.
    pub(super) fn noise_densities(&self) -> Vec<NoiseDensity> {
        let grid = &self.context.band.grid;
        let densities = self.chains.first().map(Chain::noise_densities).unwrap_or_default();
        let known = densities.into_iter().enumerate().filter(|(_, density)| *density > 0.0);
        known
            .map(|(subband, density)| NoiseDensity {
                frequency_hz: self.calibration.frequency_hz(grid.center_hz(subband)),
                level_per_hz: self.calibration.level(density),
            })
            .collect()
    }

    /// Takes one more column of subband samples in. Call [`step`](Self::step) until it returns `false`
    /// before the next.
    pub(super) fn take(&mut self, column: &[Complex32]) {
        self.context.band.push(column);
        if self.detect() {
            self.begin(self.context.band.now_s());
        }
    }

    /// Begins to decode what is left and to complete all messages. Call [`step`](Self::step) until it
    /// returns `false`.
    pub(super) fn finish(&mut self) {
        self.begin(f64::INFINITY);
    }

    /// Whether something is left to do of what is due.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.stage, Stage::Listen)
    }

    /// Begins to work on all that is due at `now_s`.
    fn begin(&mut self, now_s: f64) {
        // All that may mask a burst has ended when the longest frame has that begins with its end.
        if now_s.is_finite() {
            self.context.band.forget(now_s - self.lookback_s / 2.0);
        }
        self.now_s = now_s;
        self.stage = Stage::GatherMasks;
    }

    /// Does a small part of what is due: with one candidate, one burst or one region that is searched again.
    /// What was decoded is cancelled in the band and its region is searched again before the next burst is
    /// tried. Returns whether there was anything to do.
    pub(super) fn step(&mut self) -> bool {
        self.stage = match self.stage {
            Stage::Listen => return false,
            Stage::GatherMasks => self.gather_masks(),
            Stage::StartRound { chain } => self.start_round(chain),
            Stage::Synchronize { chain } => self.synchronize(chain),
            Stage::Decode { chain } => self.decode(chain),
            Stage::DetectAgain => self.detect_again(),
            Stage::Report => self.report(),
        };
        true
    }

    /// Looks for preambles; returns whether it was time to.
    fn detect(&mut self) -> bool {
        let mut has_searched = false;
        for chain in &mut self.chains {
            has_searched |= chain.detect(&mut self.context);
        }
        has_searched
    }

    /// Gathers the bursts that may mask candidates.
    fn gather_masks(&mut self) -> Stage {
        self.masks.clear();
        self.masks.extend(self.chains.iter().flat_map(Chain::masks));
        self.masks.extend(self.context.band.remaining());
        Stage::StartRound { chain: 0 }
    }

    /// Begins to go through the candidates of a chain, after the last of which bursts are decoded.
    fn start_round(&mut self, chain: usize) -> Stage {
        let Some(synchronizing) = self.chains.get_mut(chain) else {
            return Stage::Decode { chain: 0 };
        };
        synchronizing.start_round(self.now_s);
        Stage::Synchronize { chain }
    }

    /// From a candidate of a chain to a burst.
    fn synchronize(&mut self, chain: usize) -> Stage {
        let next = Stage::StartRound { chain: chain + 1 };
        let Some(synchronizing) = self.chains.get_mut(chain) else { return next };
        if synchronizing.synchronize_next(&mut self.masks, &mut self.context) {
            return Stage::Synchronize { chain };
        }
        synchronizing.end_round(&mut self.context);
        next
    }

    /// Decodes a burst of a chain that is due.
    fn decode(&mut self, chain: usize) -> Stage {
        let Some(decoding) = self.chains.get_mut(chain) else { return Stage::Report };
        if !decoding.decode_next(&mut self.context, self.now_s) {
            return Stage::Decode { chain: chain + 1 };
        }
        if self.context.band.has_changed() { Stage::DetectAgain } else { Stage::Decode { chain } }
    }

    /// Looks again where a burst was cancelled.
    fn detect_again(&mut self) -> Stage {
        let Some(cancelled) = self.context.band.next_cancelled() else { return Stage::GatherMasks };
        for chain in &mut self.chains {
            chain.detect_again(&cancelled, &mut self.context);
        }
        Stage::DetectAgain
    }

    /// From frames to events, when all that is due has been tried.
    fn report(&mut self) -> Stage {
        self.report_frames();
        if self.now_s == f64::INFINITY {
            // What was masked comes to light once what masks it is decoded or given up.
            if self.chains.iter().any(Chain::is_busy) {
                self.context.band.forget(f64::INFINITY);
                return Stage::GatherMasks;
            }
            self.chains.iter_mut().for_each(Chain::clear);
        }
        self.complete(self.now_s);
        Stage::Listen
    }

    fn report_frames(&mut self) {
        let Context { news, statistics, .. } = &mut self.context;
        for news in news.drain(..) {
            self.assembler.take(&news, &mut self.events, statistics);
        }
    }

    /// Completes what can change no more after `now_s`.
    fn complete(&mut self, now_s: f64) {
        let Context { undecoded, statistics, .. } = &mut self.context;
        self.assembler.complete(now_s, &mut self.events, statistics);
        for sighting in undecoded.take_final(now_s) {
            statistics.undecoded_bursts += 1;
            self.events.push(Event::Undecoded(sighting.report(&self.calibration)));
        }
    }
}

/// How far back the receiver looks, in seconds.
fn lookback_s(config: &ReceiverConfig) -> f64 {
    config.bit_rates.iter().copied().map(Chain::lookback_s).fold(1.0, f64::max)
}

/// The same in columns of a grid.
pub(super) fn lookback_columns(config: &ReceiverConfig, grid: &SubbandGrid) -> usize {
    (lookback_s(config) * grid.rate_hz()) as usize
}
