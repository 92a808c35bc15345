//! Recordings of other systems, in which there is nothing to decode.

use std::path::Path;

use anyhow::{Context, Result};
use nap_io::{OpenOptions, SampleSource};
use nap_phy::receiver::Statistics;
use nap_phy::receiver::channel_choice::ChannelChoice;
use nap_phy::{Event, Message, Receiver, ReceiverConfig};
use num_complex::Complex32;
use rayon::prelude::*;

const BLOCK: usize = 65_536;
/// What recordings that other programs made of other systems are stored as.
const EXTENSION: &str = "cu8";
/// The lowest of the other sample rates, which leaves the whole channel in the band, and how many times
/// as much the highest is.
const MIN_RATE_HZ: f64 = 200_000.0;
const RATE_SPAN: f64 = 8.0;

/// A recording of another system.
#[derive(Debug)]
pub struct ForeignAir {
    /// The name of the file.
    pub name: String,
    /// The samples.
    pub samples: Vec<Complex32>,
    /// Of these, those of a second.
    pub sample_rate_hz: f64,
    /// Frequency of the samples' 0 Hz.
    pub center_hz: Option<f64>,
}

/// How a recording is looked at: noise and interference stay what they are if rate and sign of the
/// frequencies are taken for others, but every tone, symbol rate and pause in it becomes another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relabelling {
    /// What the sample rate is taken for; with `None` it is what it was, and the channel is the one that
    /// the command would choose, if the band has one.
    pub sample_rate_hz: Option<f64>,
    /// Whether frequencies are mirrored.
    pub is_conjugated: bool,
}

impl Relabelling {
    /// The recording as it is, and at `rates` other rates, each as it is and mirrored.
    #[must_use]
    pub fn all(rates: u32) -> Vec<Self> {
        let other = |n: u32| {
            let share = f64::from(n) / f64::from(rates.max(2) - 1);
            Some((MIN_RATE_HZ * RATE_SPAN.powf(share)).round())
        };
        let rates = std::iter::once(None).chain((0..rates).map(other));
        let both = |sample_rate_hz| {
            [false, true].map(|is_conjugated| Self { sample_rate_hz, is_conjugated })
        };
        rates.flat_map(both).collect()
    }
}

/// What was reported of recordings that hold nothing.
#[derive(Debug, Default)]
pub struct Findings {
    /// Length of all that was received.
    pub air_s: f64,
    /// What was reported, with the recording's name and how it was looked at.
    pub messages: Vec<(String, Relabelling, Message)>,
    /// The receivers' counters.
    pub statistics: Statistics,
}

impl ForeignAir {
    /// Reads all recordings in a folder, in the order of their names.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn in_folder(folder: &Path) -> Result<Vec<Self>> {
        let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|e| e.path())).collect();
        let mut paths = paths.with_context(|| folder.display().to_string())?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == EXTENSION));
        paths.sort();
        paths.iter().map(|path| Self::open(path)).collect()
    }

    fn open(path: &Path) -> Result<Self> {
        let mut source = nap_io::open(path, &OpenOptions::default())?;
        let mut samples = Vec::new();
        let mut block = vec![Complex32::default(); BLOCK];
        loop {
            let count = source.read(&mut block)?;
            if count == 0 {
                break;
            }
            samples.extend_from_slice(&block[..count]);
        }
        let info = source.info();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (sample_rate_hz, center_hz) = (info.sample_rate_hz, info.center_hz);
        Ok(Self { name, samples, sample_rate_hz, center_hz })
    }

    /// What is reported of the recording if it is looked at so, each message once it is complete, and the
    /// receiver's counters.
    fn receive(
        &self,
        relabelling: Relabelling,
        false_messages_per_day: f64,
    ) -> Result<(Vec<Message>, Statistics)> {
        let mut config = self.config(relabelling)?;
        config.false_messages_per_day = false_messages_per_day;
        let mut receiver = Receiver::new(config)?;
        let mut events = Vec::new();
        for block in self.samples.chunks(BLOCK) {
            if relabelling.is_conjugated {
                let mirrored: Vec<Complex32> = block.iter().map(Complex32::conj).collect();
                events.extend(receiver.push(&mirrored));
            } else {
                events.extend(receiver.push(block));
            }
        }
        events.extend(receiver.flush());
        let messages = events.into_iter().filter_map(Event::complete).collect();
        Ok((messages, receiver.statistics()))
    }

    /// The channel that the command would choose, or the middle of the band if none is in it.
    fn config(&self, relabelling: Relabelling) -> Result<ReceiverConfig> {
        let middle = |sample_rate_hz| Ok(ReceiverConfig::new(sample_rate_hz, 0.0));
        let Some(sample_rate_hz) = relabelling.sample_rate_hz else {
            let chosen = ChannelChoice::default().in_band(self.sample_rate_hz, self.center_hz);
            let Ok(chosen) = chosen else { return middle(self.sample_rate_hz) };
            return chosen.configs.into_iter().next().context("no channel to receive");
        };
        middle(sample_rate_hz)
    }

    fn duration_s(&self, relabelling: Relabelling) -> f64 {
        self.samples.len() as f64 / relabelling.sample_rate_hz.unwrap_or(self.sample_rate_hz)
    }
}

/// Receives all recordings in all these ways, in parallel, within a budget of false messages a day.
///
/// # Errors
/// When a receiver cannot be set up.
pub fn receive_foreign_air(
    air: &[ForeignAir],
    ways: &[Relabelling],
    false_messages_per_day: f64,
) -> Result<Findings> {
    let all: Vec<(&ForeignAir, Relabelling)> =
        air.iter().flat_map(|one| ways.iter().map(move |&way| (one, way))).collect();
    let receive =
        |(one, way): &(&ForeignAir, Relabelling)| one.receive(*way, false_messages_per_day);
    let received: Result<Vec<_>> = all.par_iter().map(receive).collect();
    let mut findings = Findings::default();
    for ((one, way), (messages, statistics)) in all.into_iter().zip(received?) {
        let found = messages.into_iter().map(|message| (one.name.clone(), way, message));
        findings.messages.extend(found);
        findings.statistics += statistics;
        findings.air_s += one.duration_s(way);
    }
    Ok(findings)
}
