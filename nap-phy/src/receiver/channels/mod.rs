//! Several channels of one stream, one receiver each.

mod overlap;

use std::collections::VecDeque;

use num_complex::Complex32;
#[cfg(feature = "parallel")]
use rayon::prelude::*;

use crate::device::table::DeviceTable;
use crate::error::Error;
use crate::message::Level;
use crate::receiver::Receiver;
use crate::receiver::channels::overlap::{Channel, Overlap};
use crate::receiver::config::{ReceiverConfig, common_sample_rate_hz};
use crate::receiver::event::Event;
use crate::receiver::statistics::Statistics;

/// Events of all receivers are put in order by stretches of so many samples.
const STRETCH: u64 = 1 << 14;

/// Receivers of several channels of one stream. With the feature `parallel` they work side by side, on
/// the threads of the pool from which they are called.
///
/// Any split of a stream into blocks gives the same events in the same order: by stretches of 16384
/// samples, and in a stretch in the order of the channels. Where channels overlap, what several receivers
/// hear is one message, of the channel whose middle is nearest to the mean of its frames' frequencies; it
/// has the frames that either has heard. A receiver's report of a frame that lies nearer to the middle of
/// another channel waits for that one's, at most until it could no longer come.
///
/// The false messages that may be expected are shared out among the receivers.
///
/// ```
/// use nap_phy::RadioConfiguration::{Rc1, Rc7};
/// use nap_phy::receiver::channel_choice::{ChannelChoice, Channels};
/// use nap_phy::receiver::channels::ChannelReceivers;
/// use num_complex::Complex32;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channels = Channels::Configurations(vec![Rc1, Rc7]);
/// let choice = ChannelChoice { channels, ..ChannelChoice::default() };
/// let chosen = choice.in_band(2_400_000.0, Some(868_500_000.0))?;
/// let mut receivers = ChannelReceivers::new(chosen.configs)?;
/// assert!(receivers.push(&vec![Complex32::default(); 240_000]).is_empty());
/// assert!(receivers.flush().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChannelReceivers {
    sample_rate_hz: f64,
    lanes: Vec<Lane>,
    overlap: Overlap,
    /// Samples taken in or skipped, and those of a longer stream before them.
    position: u64,
}

/// A receiver and what it has said of stretches that are not over in all lanes.
#[derive(Debug)]
struct Lane {
    receiver: Receiver,
    position: u64,
    events: VecDeque<Stretch>,
}

/// The events of a stretch.
#[derive(Debug)]
struct Stretch {
    number: u64,
    events: Vec<Event>,
}

impl ChannelReceivers {
    /// Receivers at the start of a stream, of whose samples all configurations say the same.
    ///
    /// # Errors
    ///
    /// What [`Receiver::new`] says of a configuration.
    pub fn new(configs: Vec<ReceiverConfig>) -> Result<Self, Error> {
        Self::starting_at(0, configs)
    }

    /// Receivers that begin at a sample of a longer stream: their events' times and order are those of
    /// receivers that began with it.
    pub(super) fn starting_at(first: u64, configs: Vec<ReceiverConfig>) -> Result<Self, Error> {
        let sample_rate_hz = common_sample_rate_hz(&configs);
        let overlap = Overlap::new(configs.iter().map(Channel::of).collect());
        let count = configs.len();
        let lane = |mut config: ReceiverConfig| {
            config.budget_share = config.budget_share.divided_by(count);
            let mut receiver = Receiver::new(config)?;
            receiver.begin_at(first);
            Ok(Lane { receiver, position: first, events: VecDeque::new() })
        };
        let lanes = configs.into_iter().map(lane).collect::<Result<_, Error>>()?;
        Ok(Self { sample_rate_hz, lanes, overlap, position: first })
    }

    /// Takes samples in and returns what they complete.
    pub fn push(&mut self, samples: &[Complex32]) -> Vec<Event> {
        self.position += samples.len() as u64;
        for_each(&mut self.lanes, |lane| lane.push(samples));
        self.take_events(self.ended())
    }

    /// Tells that so many samples were lost before the next ones, as [`Receiver::skip`] does.
    pub fn skip(&mut self, samples: u64) -> Vec<Event> {
        self.position += samples;
        for_each(&mut self.lanes, |lane| {
            let events = lane.receiver.skip(samples);
            lane.keep(events);
            lane.position += samples;
        });
        self.take_events(self.ended())
    }

    /// Ends the stream, as [`Receiver::flush`] does.
    pub fn flush(&mut self) -> Vec<Event> {
        for_each(&mut self.lanes, |lane| {
            let events = lane.receiver.flush();
            lane.keep(events);
        });
        let mut events = self.take_events(u64::MAX);
        self.overlap.flush(&mut events);
        events
    }

    /// Goes by these devices from now on, as [`Receiver::set_devices`] does.
    pub fn set_devices(&mut self, devices: &DeviceTable) {
        self.lanes.iter_mut().for_each(|lane| lane.receiver.set_devices(devices.clone()));
    }

    /// The noise in one hertz of the channel that has most of it; `None` before there was any.
    #[must_use]
    pub fn noise_density(&self) -> Option<Level> {
        let all = self.lanes.iter().filter_map(|lane| lane.receiver.noise_density());
        all.max_by(|a, b| a.value().total_cmp(&b.value()))
    }

    /// Counters since the start, of all receivers together; a sample counts once.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let mut each = self.each_statistics();
        let first = each.next().unwrap_or_default();
        let mut all = first;
        each.for_each(|other| all += other);
        Statistics {
            samples: first.samples,
            lost_samples: first.lost_samples,
            unusable_samples: first.unusable_samples,
            impulses: first.impulses,
            blanked_samples: first.blanked_samples,
            ..all
        }
    }

    /// Counters of each receiver, in the order of the channels.
    pub fn each_statistics(&self) -> impl Iterator<Item = Statistics> {
        self.lanes.iter().map(|lane| lane.receiver.statistics())
    }

    /// The events of the stretches before this one, in order.
    fn take_events(&mut self, end: u64) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(number) = self.next_stretch().filter(|&number| number < end) {
            for (channel, lane) in self.lanes.iter_mut().enumerate() {
                for event in lane.take(number) {
                    self.overlap.take(channel, event, &mut events);
                }
            }
            self.overlap.advance(self.time_s(number + 1), &mut events);
        }
        self.overlap.advance(self.time_s(self.position / STRETCH), &mut events);
        events
    }

    /// The first stretch that is not over, so that events in it may have to be put in order. A single
    /// receiver's are in order.
    fn ended(&self) -> u64 {
        if self.lanes.len() > 1 { self.position / STRETCH } else { u64::MAX }
    }

    /// The first stretch with events.
    fn next_stretch(&self) -> Option<u64> {
        self.lanes.iter().filter_map(|lane| Some(lane.events.front()?.number)).min()
    }

    fn time_s(&self, stretch: u64) -> f64 {
        (stretch * STRETCH) as f64 / self.sample_rate_hz
    }
}

impl Lane {
    fn push(&mut self, mut samples: &[Complex32]) {
        while !samples.is_empty() {
            let left = STRETCH - self.position % STRETCH;
            let (now, later) = samples.split_at(samples.len().min(left as usize));
            let events = self.receiver.push(now);
            self.keep(events);
            self.position += now.len() as u64;
            samples = later;
        }
    }

    /// The events of a stretch, before which there are none.
    fn take(&mut self, number: u64) -> Vec<Event> {
        if self.events.front().is_none_or(|stretch| stretch.number != number) {
            return Vec::new();
        }
        self.events.pop_front().map_or_else(Vec::new, |stretch| stretch.events)
    }

    /// Keeps the events of the stretch at the lane's position.
    fn keep(&mut self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let number = self.position / STRETCH;
        match self.events.back_mut() {
            Some(last) if last.number == number => last.events.extend(events),
            _ => self.events.push_back(Stretch { number, events }),
        }
    }
}

#[cfg(feature = "parallel")]
fn for_each(lanes: &mut [Lane], work: impl Fn(&mut Lane) + Sync + Send) {
    match lanes {
        [lane] => work(lane),
        lanes => lanes.par_iter_mut().for_each(work),
    }
}

#[cfg(not(feature = "parallel"))]
fn for_each(lanes: &mut [Lane], work: impl Fn(&mut Lane)) {
    lanes.iter_mut().for_each(work);
}
