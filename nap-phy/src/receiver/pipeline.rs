//! The stages behind the filter bank.

use std::sync::Arc;

use nap_dsp::channelizer::SubbandGrid;
use num_complex::Complex32;

use super::alignment::least_common_multiple;
use super::band::Band;
use super::chain::Chain;
use super::config::ReceiverConfig;
use super::decoded_frame::DecodedFrame;
use super::decoder::container_search::ContainerSearch;
use super::decoder::false_message_budget::FalseMessageBudget;
use super::event::Event;
use super::joint::carrier_plan::CarrierRules;
use super::joint::groups::Fragments;
use super::masking::Cover;
use super::message_assembler::{Assembler, Reporter};
use super::statistics::Statistics;

/// All that works on subbands.
pub(super) struct Pipeline {
    band: Band,
    chains: Vec<Chain>,
    /// Bursts of all chains that other signals may hide under.
    covers: Vec<Cover>,
    assembler: Assembler,
    pub(super) statistics: Statistics,
    frames: Vec<DecodedFrame>,
    pub(super) events: Vec<Event>,
}

impl Pipeline {
    /// The stages for subbands that lie in this grid.
    pub(super) fn new(grid: SubbandGrid, config: ReceiverConfig) -> Self {
        let devices = Arc::new(config.devices.clone());
        // Every bit rate has its share of the budget.
        let budget = FalseMessageBudget::new(
            config.false_messages_per_day,
            config.budget_share.divided_by(config.bit_rates.len()),
        );
        let mut chains: Vec<Chain> = config
            .bit_rates
            .iter()
            .map(|&bit_rate| {
                let containers = ContainerSearch::new(
                    Arc::clone(&devices),
                    config.limits.most_known_devices,
                    budget.clone(),
                );
                let rules = CarrierRules::new(config.radio_configuration);
                let fragments = Fragments::new(bit_rate, &config.limits, rules);
                let channel_hz = config.channel_hz();
                Chain::new(bit_rate, grid, channel_hz, &config.limits, (fragments, containers))
            })
            .collect();
        let lookback_s =
            config.bit_rates.iter().copied().map(Chain::lookback_s).fold(1.0, f64::max);
        let reporter = Reporter {
            centre_hz: config.centre_hz,
            full_scale_dbm: config.full_scale_dbm,
            radio_configuration: config.radio_configuration,
            channel_center_hz: config.reported_channel_center_hz,
            devices,
        };
        let patience_s = chains.iter().map(Chain::detection_s).fold(0.0, f64::max);
        chains.iter_mut().for_each(|chain| chain.be_patient(patience_s));
        Self {
            band: Band::new(grid, lookback_s),
            chains,
            covers: Vec::new(),
            assembler: Assembler::new(reporter, lookback_s),
            statistics: Statistics::default(),
            frames: Vec::new(),
            events: Vec::new(),
        }
    }

    /// How much silence after the end of the last frame completes it, in seconds.
    pub(super) fn latency_s(&self) -> f64 {
        self.chains.iter().map(Chain::latency_s).fold(0.0, f64::max)
    }

    /// Columns after which all chains search at once.
    pub(super) fn hop_columns(&self) -> u64 {
        self.chains.iter().map(Chain::hop_columns).fold(1, least_common_multiple)
    }

    /// Works on one more column of subband samples.
    pub(super) fn take(&mut self, column: &[Complex32]) {
        self.band.push(column);
        let mut searched = false;
        for chain in &mut self.chains {
            searched |= chain.search(&self.band, &mut self.statistics);
        }
        if searched {
            let now_s = self.band.now_s();
            self.decode(now_s);
            self.assembler.complete(now_s, &mut self.events);
        }
    }

    /// Decodes what is left and completes all messages.
    pub(super) fn finish(&mut self) {
        // What was covered comes to light once what covers it is decoded or given up.
        while self.chains.iter().any(Chain::is_busy) {
            self.decode(f64::INFINITY);
        }
        for chain in &mut self.chains {
            chain.clear();
        }
        self.assembler.complete(f64::INFINITY, &mut self.events);
    }

    /// Decodes what is due before `now_s`, burst by burst: what was decoded is taken out of the band
    /// and its place is searched again before the next burst is tried.
    fn decode(&mut self, now_s: f64) {
        loop {
            self.covers.clear();
            for chain in &self.chains {
                self.covers.extend(chain.covers());
            }
            let (band, statistics, frames) =
                (&mut self.band, &mut self.statistics, &mut self.frames);
            for chain in &mut self.chains {
                chain.synchronize(band, &mut self.covers, now_s, statistics);
            }
            let changed =
                self.chains.iter_mut().any(|c| c.decode_next(band, now_s, statistics, frames));
            if !changed {
                break;
            }
            for place in band.take_cancelled() {
                for chain in &mut self.chains {
                    chain.search_again(band, &place, statistics);
                }
            }
        }
        self.report();
    }

    fn report(&mut self) {
        for frame in self.frames.drain(..) {
            let event = self.assembler.add(&frame);
            self.statistics.frames += u64::from(event.is_some());
            self.statistics.messages += u64::from(matches!(event, Some(Event::Message(_))));
            self.events.extend(event);
        }
    }
}
