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
        let (mut simulator, truth) = scene.build()?;
        let mut config = ReceiverConfig::new(scene.sample_rate_hz, scene.center_hz())
            .with_radio_configuration(scene.radio_configuration);
        config.bit_rates = bit_rates.to_vec();
        config.tuning = tuning;
        let mut receiver = Receiver::new(config)?;
        let mut events = Vec::new();
        let mut cpu = Duration::ZERO;
        let mut left = scene.samples() as usize;
        let mut block = vec![Complex32::default(); BLOCK];
        while left > 0 {
            let count = left.min(BLOCK);
            let Piece { lost_before, samples } = simulator.render_piece(&mut block[..count]);
            cpu += timed(|| {
                if lost_before > 0 {
                    events.extend(receiver.skip(lost_before));
                }
                events.extend(receiver.push(&block[..samples]));
            });
            left = left.saturating_sub(lost_before as usize + samples);
        }
        cpu += timed(|| events.extend(receiver.flush()));
        Ok(Self {
            truth,
            messages: events.into_iter().filter_map(Event::complete).collect(),
            statistics: receiver.statistics(),
            air_s: scene.duration_s,
            cpu_s: cpu.as_secs_f64(),
        })
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
