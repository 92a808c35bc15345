//! One scene, received blindly.

use std::time::Duration;

use anyhow::Result;
use nap_dsp::simulator::Piece;
use nap_phy::receiver::{Statistics, Tuning};
use nap_phy::scene::{ReceptionCounts, Scene, Truth, TruthMessage};
use nap_phy::{BitRate, Event, Message, Receiver, ReceiverConfig};
use num_complex::Complex32;
use rustix::time::{ClockId, clock_gettime};

const BLOCK: usize = 65_536;

/// What a receiver made of a scene.
#[derive(Debug)]
pub struct Reception {
    /// What was sent.
    pub truth: Truth,
    /// What was reported, each message once it was complete.
    pub messages: Vec<Message>,
    /// The receiver's counters at the end.
    pub statistics: Statistics,
    /// Length of the scene.
    pub air_s: f64,
    /// CPU time of the receiver, the simulator's not counted. It is that of the whole process, so it
    /// only makes sense where nothing runs beside.
    pub cpu_s: f64,
}

impl Reception {
    /// Receives a scene. No device is known. `bit_rates` are those searched for.
    ///
    /// # Errors
    /// When the scene or the receiver cannot be set up.
    pub fn of(scene: &Scene, bit_rates: &[BitRate]) -> Result<Self> {
        Self::tuned(scene, bit_rates, Tuning::default())
    }

    /// The same with other thresholds.
    ///
    /// # Errors
    /// When the scene or the receiver cannot be set up.
    pub fn tuned(scene: &Scene, bit_rates: &[BitRate], tuning: Tuning) -> Result<Self> {
        let mut listener = Listener::new(scene, bit_rates, tuning)?;
        let truth = render(scene, |lost, samples| listener.take(lost, samples))?;
        Ok(listener.finish(truth, scene))
    }

    /// Counts over all messages.
    #[must_use]
    pub fn counts(&self) -> ReceptionCounts {
        ReceptionCounts::new(&self.truth, &self.messages)
    }

    /// How many of some of the messages were sent and heard.
    pub fn heard_of(&self, chosen: impl Fn(&TruthMessage) -> bool) -> (usize, usize) {
        let mut part = self.truth.clone();
        part.messages.retain(chosen);
        let counts = ReceptionCounts::new(&part, &self.messages);
        (counts.sent, counts.heard)
    }
}

/// A scene with its samples, to be received more than once.
#[derive(Debug)]
pub struct Air {
    scene: Scene,
    truth: Truth,
    /// Samples, each with how many were lost before them.
    pieces: Vec<(u64, Vec<Complex32>)>,
}

impl Air {
    /// Renders a scene.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn of(scene: Scene) -> Result<Self> {
        let mut pieces = Vec::new();
        let truth = render(&scene, |lost, samples| pieces.push((lost, samples.to_vec())))?;
        Ok(Self { scene, truth, pieces })
    }

    /// Receives it as [`Reception::tuned`] does.
    ///
    /// # Errors
    /// When the receiver cannot be set up.
    pub fn receive(&self, bit_rates: &[BitRate], tuning: Tuning) -> Result<Reception> {
        let mut listener = Listener::new(&self.scene, bit_rates, tuning)?;
        self.pieces.iter().for_each(|(lost, samples)| listener.take(*lost, samples));
        Ok(listener.finish(self.truth.clone(), &self.scene))
    }
}

/// Hands on a scene's samples in blocks, each with how many were lost before it, and returns what was sent.
fn render(scene: &Scene, mut take: impl FnMut(u64, &[Complex32])) -> Result<Truth> {
    let (mut simulator, truth) = scene.build()?;
    let mut left = scene.samples() as usize;
    let mut block = vec![Complex32::default(); BLOCK];
    while left > 0 {
        let count = left.min(BLOCK);
        let Piece { lost_before, samples } = simulator.render_piece(&mut block[..count]);
        take(lost_before, &block[..samples]);
        left = left.saturating_sub(lost_before as usize + samples);
    }
    Ok(truth)
}

/// A receiver, and the time that it takes.
struct Listener {
    receiver: Receiver,
    events: Vec<Event>,
    cpu: Duration,
}

impl Listener {
    fn new(scene: &Scene, bit_rates: &[BitRate], tuning: Tuning) -> Result<Self> {
        let mut config = ReceiverConfig::new(scene.sample_rate_hz, scene.center_hz())
            .with_radio_configuration(scene.radio_configuration);
        config.bit_rates = bit_rates.to_vec();
        config.tuning = tuning;
        Ok(Self { receiver: Receiver::new(config)?, events: Vec::new(), cpu: Duration::ZERO })
    }

    fn take(&mut self, lost_before: u64, samples: &[Complex32]) {
        self.cpu += timed(|| {
            if lost_before > 0 {
                self.events.extend(self.receiver.skip(lost_before));
            }
            self.events.extend(self.receiver.push(samples));
        });
    }

    fn finish(mut self, truth: Truth, scene: &Scene) -> Reception {
        self.cpu += timed(|| self.events.extend(self.receiver.flush()));
        Reception {
            truth,
            messages: self.events.into_iter().filter_map(Event::complete).collect(),
            statistics: self.receiver.statistics(),
            air_s: scene.duration_s,
            cpu_s: self.cpu.as_secs_f64(),
        }
    }
}

/// CPU time that the whole process takes meanwhile.
pub fn timed(work: impl FnOnce()) -> Duration {
    timed_by(ClockId::ProcessCPUTime, work)
}

/// CPU time that the thread takes meanwhile, which others do not count in.
pub fn thread_timed(work: impl FnOnce()) -> Duration {
    timed_by(ClockId::ThreadCPUTime, work)
}

fn timed_by(clock: ClockId, work: impl FnOnce()) -> Duration {
    let now = || {
        let time = clock_gettime(clock);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let start = now();
    work();
    now() - start
}
