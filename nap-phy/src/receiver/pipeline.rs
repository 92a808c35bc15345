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
use super::masking::Cover;
use super::message_assembler::{Assembler, Reporter};
use super::noise_density::NoiseDensity;
use crate::device::table::DeviceTable;

/// All that works on subbands.
pub(super) struct Pipeline {
    pub(super) context: Context,
    chains: Vec<Chain>,
    /// Bursts of all chains that other signals may hide under.
    covers: Vec<Cover>,
    calibration: Calibration,
    assembler: Assembler,
    pub(super) events: Vec<Event>,
}

impl Pipeline {
    /// The stages for subbands that lie in this grid.
    pub(super) fn new(grid: SubbandGrid, config: ReceiverConfig) -> Self {
        let devices = Arc::new(config.devices.clone());
        // Every bit rate has its share of the budget.
        let share = config.budget_share.divided_by(config.bit_rates.len());
        let budget = FalseMessageBudget::new(config.false_messages_per_day, share);
        let chain = |&bit_rate| {
            let most_known = config.limits.most_known_devices;
            let containers = ContainerSearch::new(Arc::clone(&devices), most_known, budget.clone());
            Chain::new(bit_rate, grid, &config, containers)
        };
        let mut chains: Vec<Chain> = config.bit_rates.iter().map(chain).collect();
        let patience_s = chains.iter().map(Chain::detection_s).fold(0.0, f64::max);
        chains.iter_mut().for_each(|chain| chain.be_patient(patience_s));
        let lookback_s =
            config.bit_rates.iter().copied().map(Chain::lookback_s).fold(1.0, f64::max);
        let calibration =
            Calibration { center_hz: config.centre_hz, full_scale_dbm: config.full_scale_dbm };
        let reporter = Reporter {
            calibration,
            radio_configuration: config.radio_configuration,
            channel_center_hz: config.reported_channel_center_hz,
            devices,
        };
        Self {
            context: Context::new(Band::new(grid, lookback_s), config.sample_rate_hz),
            chains,
            covers: Vec::new(),
            calibration,
            assembler: Assembler::new(reporter, lookback_s),
            events: Vec::new(),
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
                frequency_hz: self.calibration.frequency_hz(grid.centre_hz(subband)),
                level_per_hz: self.calibration.level(density),
            })
            .collect()
    }

    /// Works on one more column of subband samples.
    pub(super) fn take(&mut self, column: &[Complex32]) {
        self.context.band.push(column);
        if self.detect() {
            let now_s = self.context.band.now_s();
            self.decode(now_s);
            self.report();
            self.complete(now_s);
        }
    }

    /// Decodes what is left and completes all messages.
    pub(super) fn finish(&mut self) {
        // What was covered comes to light once what covers it is decoded or given up.
        while self.chains.iter().any(Chain::is_busy) {
            self.decode(f64::INFINITY);
            self.report();
        }
        self.chains.iter_mut().for_each(Chain::clear);
        self.complete(f64::INFINITY);
    }

    /// Looks for preambles; returns whether it was time to.
    fn detect(&mut self) -> bool {
        let mut has_searched = false;
        for chain in &mut self.chains {
            has_searched |= chain.detect(&mut self.context);
        }
        has_searched
    }

    /// Decodes what is due before `now_s`, burst by burst: what was decoded is cancelled in the band
    /// and its place is searched again before the next burst is tried.
    fn decode(&mut self, now_s: f64) {
        loop {
            self.synchronize(now_s);
            let context = &mut self.context;
            if !self.chains.iter_mut().any(|chain| chain.decode(context, now_s)) {
                break;
            }
            self.detect_again();
        }
    }

    /// From candidates to bursts.
    fn synchronize(&mut self, now_s: f64) {
        self.covers.clear();
        self.covers.extend(self.chains.iter().flat_map(Chain::covers));
        for chain in &mut self.chains {
            chain.synchronize(&mut self.covers, &mut self.context, now_s);
        }
    }

    /// Looks again where bursts were cancelled.
    fn detect_again(&mut self) {
        for place in self.context.band.take_cancelled() {
            for chain in &mut self.chains {
                chain.detect_again(&place, &mut self.context);
            }
        }
    }

    /// From frames to events.
    fn report(&mut self) {
        let Context { frames, statistics, .. } = &mut self.context;
        for frame in frames.drain(..) {
            let event = self.assembler.add(&frame);
            statistics.frames += u64::from(event.is_some());
            statistics.messages += u64::from(matches!(event, Some(Event::Message(_))));
            self.events.extend(event);
        }
    }

    /// Completes what can change no more after `now_s`.
    fn complete(&mut self, now_s: f64) {
        self.assembler.complete(now_s, &mut self.events);
        let Context { undecoded, statistics, .. } = &mut self.context;
        for sighting in undecoded.take_final(now_s) {
            statistics.undecoded_bursts += 1;
            self.events.push(Event::Undecoded(sighting.report(&self.calibration)));
        }
    }
}
