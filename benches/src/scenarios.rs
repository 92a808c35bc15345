//! Crowded and disturbed channels: who is heard when devices meet.
//!
//! All scenes are an RC1 channel at 250 kS/s with a noise figure of 6 dB, all are received blindly
//! and with both bit rates searched for.

use anyhow::Result;
use nap_dsp::simulator::Wander;
use nap_phy::receiver::Statistics;
use nap_phy::scene::{
    Interferer, InterfererSignal, ReceptionCounts, Scene, Shape, Traffic, TruthMessage,
};
use nap_phy::{BitRate, Rank};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use crate::differential::heard_differentially;
use crate::impairments::Impairments;
use crate::reception::Reception;
use crate::sender::{
    HALF_BAND_HZ, LEAD_IN_S, PAUSE_S, Sender, empty_scene, frame_s, level_dbm, symmetric,
};

/// Bit rate of all pairs.
const PAIR_BIT_RATE: BitRate = BitRate::Bps100;
/// Pairs in a scene; 9.5 kHz apart they hardly disturb each other.
const PAIRS: usize = 20;
/// Starts of pairs and messages are spread over this time.
const SPREAD_S: f64 = 0.6;
/// Eb/N0 of the weaker device of a pair.
const WEAK_DB: f64 = 15.0;
const MAX_CLOCK_ERROR_PPM: f64 = 20.0;
/// Middle of LoRaWAN's first European channel.
const LORA_HZ: f64 = 868_100_000.0;
/// Distance of the messages' carriers under another system's bursts.
const SLOT_HZ: f64 = 3_200.0;
/// Between the frames of devices that choose everything else themselves.
const CROWD_PAUSE_S: f64 = 0.5;
/// Noise is received in pieces of this length.
const NOISE_PIECE_S: f64 = 600.0;

/// Counts over some scenes.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Messages sent and heard, for each kind of message that is told apart.
    pub parts: Vec<Part>,
    /// Reports of what was never sent.
    pub false_positives: usize,
    /// Reports of a message that had been reported already.
    pub repeated: usize,
    /// Length of the scenes.
    pub air_s: f64,
    /// CPU time of the receiver.
    pub cpu_s: f64,
    /// Sums of the receiver's counters.
    pub statistics: Statistics,
}

/// Messages of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What they have in common.
    pub name: &'static str,
    /// How many were sent.
    pub sent: usize,
    /// How many of them were reported.
    pub heard: usize,
}

impl Part {
    /// Share of the messages that were not heard.
    #[must_use]
    pub fn loss(&self) -> f64 {
        1.0 - self.heard as f64 / self.sent.max(1) as f64
    }
}

/// A name for some of the messages, and which they are.
type Kind<'a> = (&'static str, &'a dyn Fn(&TruthMessage) -> bool);

impl Tally {
    /// Receives scenes until `messages` messages of the first kind were sent.
    fn collect(
        messages: usize,
        seed: u64,
        kinds: &[Kind<'_>],
        impairments: &Impairments,
        scene: impl Fn(u64) -> Result<Scene>,
    ) -> Result<Self> {
        let parts = kinds.iter().map(|&(name, _)| Part { name, sent: 0, heard: 0 }).collect();
        let mut tally = Self { parts, ..Self::default() };
        let mut seeds = ChaCha12Rng::seed_from_u64(seed);
        while tally.parts[0].sent < messages {
            let mut scene = scene(seeds.random())?;
            impairments.apply(&mut scene)?;
            tally.add(&Reception::of(&scene, &BitRate::ALL)?, kinds);
        }
        Ok(tally)
    }

    fn add(&mut self, reception: &Reception, kinds: &[Kind<'_>]) {
        for (part, (_, chosen)) in self.parts.iter_mut().zip(kinds) {
            let (sent, heard) = reception.heard_of(chosen);
            part.sent += sent;
            part.heard += heard;
        }
        let counts = reception.counts();
        self.false_positives += counts.false_positives;
        self.repeated += counts.repeated;
        self.air_s += reception.air_s;
        self.cpu_s += reception.cpu_s;
        self.statistics += reception.statistics;
    }

    /// Seconds on the air that a second of one core is enough for.
    #[must_use]
    pub fn times_real_time(&self) -> f64 {
        self.air_s / self.cpu_s
    }
}

/// Two devices that send at the same time near the same carrier.
#[derive(Debug, Clone, Copy)]
pub struct Pairs {
    /// Frames of each message.
    pub frames: Rank,
    /// How the devices turn the phase.
    pub shape: Shape,
    /// How much stronger the stronger one is; the weaker one has an Eb/N0 of 15 dB.
    pub level_difference_db: f64,
    /// From carrier to carrier, in either direction, anew for each frame.
    pub distance_hz: [f64; 2],
    /// Part of a frame by which one of them, drawn by lot, starts later: the range of the part.
    pub delay_frames: [f64; 2],
}

impl Pairs {
    /// A device 30 dB stronger, 150 to 300 Hz beside, throughout the weak one's frames.
    #[must_use]
    pub fn near_far(frames: Rank) -> Self {
        Self {
            frames,
            shape: Shape::Rect,
            level_difference_db: 30.0,
            distance_hz: [150.0, 300.0],
            delay_frames: [0.0, 0.1],
        }
    }

    /// Carriers within 20 Hz, one device 10 dB stronger, half a frame later or earlier.
    #[must_use]
    pub fn co_channel(frames: Rank) -> Self {
        Self {
            frames,
            shape: Shape::Rect,
            level_difference_db: 10.0,
            distance_hz: [0.0, 20.0],
            delay_frames: [0.45, 0.55],
        }
    }

    /// Sends and receives at least `pairs` pairs. The parts are the weak and the strong messages.
    ///
    /// # Errors
    /// When a scene or the receiver cannot be set up.
    pub fn tally(&self, pairs: usize, seed: u64, impairments: &Impairments) -> Result<Tally> {
        let between_db = WEAK_DB + 0.5 * self.level_difference_db;
        let between_dbm = level_dbm(PAIR_BIT_RATE, between_db);
        let is_weak = move |message: &TruthMessage| message.frames[0].dbm <= between_dbm;
        let is_strong = move |message: &TruthMessage| !is_weak(message);
        let kinds: [Kind<'_>; 2] = [("weak", &is_weak), ("strong", &is_strong)];
        Tally::collect(pairs, seed, &kinds, impairments, |seed| self.scene(seed))
    }

    /// A scene of 20 pairs.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn scene(&self, seed: u64) -> Result<Scene> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let frame_s = frame_s(PAIR_BIT_RATE);
        let frames = f64::from(self.frames.number());
        let latest_s = LEAD_IN_S + SPREAD_S + self.delay_frames[1] * frame_s;
        let mut scene = empty_scene(latest_s + frames * (frame_s + PAUSE_S), seed);
        for pair in 0..PAIRS {
            let slot_hz = 2.0 * HALF_BAND_HZ / PAIRS as f64;
            let middle_hz = (pair as f64 + 0.5) * slot_hz - HALF_BAND_HZ;
            for sender in self.senders(middle_hz, &mut rng) {
                let device = sender.device(&scene, &mut rng)?;
                scene.devices.push(device);
            }
        }
        Ok(scene)
    }

    /// The weak and the strong device.
    fn senders(&self, middle_hz: f64, rng: &mut ChaCha12Rng) -> [Sender; 2] {
        let frames = 0..self.frames.number();
        let strong_hz: Vec<f64> =
            frames.map(|_| middle_hz + rng.random_range(-1000.0..1000.0)).collect();
        let [nearest_hz, farthest_hz] = self.distance_hz;
        let beside = |&hz: &f64| {
            let distance_hz = rng.random_range(nearest_hz..farthest_hz);
            if rng.random() { hz + distance_hz } else { hz - distance_hz }
        };
        let weak_hz = strong_hz.iter().map(beside).collect();
        let [least, most] = self.delay_frames;
        let delay_s = rng.random_range(least..most) * frame_s(PAIR_BIT_RATE);
        let delays_s = if rng.random() { [0.0, delay_s] } else { [delay_s, 0.0] };
        let start_s = LEAD_IN_S + rng.random_range(0.0..SPREAD_S);
        let mut sender = |eb_over_n0_db, delay_s, offsets_hz| Sender {
            bit_rate: PAIR_BIT_RATE,
            shape: self.shape,
            level_dbm: level_dbm(PAIR_BIT_RATE, eb_over_n0_db),
            payload_bytes: 12,
            crystal_ppm: symmetric(MAX_CLOCK_ERROR_PPM, rng),
            drift_hz_per_s: 0.0,
            pause_s: PAUSE_S,
            time_s: start_s + delay_s,
            offsets_hz,
        };
        [
            sender(WEAK_DB, delays_s[0], weak_hz),
            sender(WEAK_DB + self.level_difference_db, delays_s[1], strong_hz),
        ]
    }
}

/// Bursts of another system, one in every period, for a third of it.
#[derive(Debug, Clone)]
pub struct Disturbance {
    signal: InterfererSignal,
    frequency_hz: f64,
    bandwidth_hz: f64,
    level_dbm: f64,
    period_s: f64,
}

impl Disturbance {
    /// LoRa bursts of -100 dBm (spreading factor 12, 125 kHz at 868.1 MHz), each as long as most of a
    /// frame.
    #[must_use]
    pub fn lora() -> Self {
        let bandwidth_hz = 125_000.0;
        Self {
            signal: InterfererSignal::Lora { spreading_factor: 12, bandwidth_hz },
            frequency_hz: LORA_HZ,
            bandwidth_hz,
            level_dbm: -100.0,
            period_s: 4.5,
        }
    }

    /// FSK bursts of -95 dBm (9.6 kbit/s), each as long as a quarter of a frame: in the bandwidth of a
    /// symbol some ten times as strong as the messages.
    #[must_use]
    pub fn fsk() -> Self {
        Self {
            signal: InterfererSignal::Fsk { bit_rate_hz: 9_600.0, deviation_hz: 4_800.0 },
            frequency_hz: LORA_HZ,
            bandwidth_hz: 16_000.0,
            level_dbm: -95.0,
            period_s: 1.5,
        }
    }

    /// Messages of -125 dBm at 100 bit/s under such bursts.
    ///
    /// # Errors
    /// When a scene or the receiver cannot be set up.
    pub fn tally(
        &self,
        frames: Rank,
        messages: usize,
        seed: u64,
        impairments: &Impairments,
    ) -> Result<Tally> {
        let kinds: [Kind<'_>; 1] = [("all", &|_| true)];
        Tally::collect(messages, seed, &kinds, impairments, |seed| self.scene(frames, seed))
    }

    fn scene(&self, frames: Rank, seed: u64) -> Result<Scene> {
        const DURATION_S: f64 = 18.0;
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let bit_rate = BitRate::Bps100;
        let mut scene = empty_scene(DURATION_S, seed);
        let burst_s = self.period_s / 3.0;
        for period in 0..(DURATION_S / self.period_s) as u32 {
            let pause_s = rng.random_range(0.0..self.period_s - burst_s);
            scene.interferers.push(Interferer {
                signal: self.signal.clone(),
                time_s: f64::from(period) * self.period_s + pause_s,
                duration_s: burst_s,
                frequency_hz: self.frequency_hz,
                level_dbm: Some(self.level_dbm),
                level_over_noise_db: None,
                burst_s: None,
                duty: None,
            });
        }
        // As far as the other channel and ours overlap, a little inside.
        let middle_hz = self.frequency_hz - scene.center_hz();
        let low_hz = (middle_hz - 0.48 * self.bandwidth_hz).max(-HALF_BAND_HZ);
        let high_hz = (middle_hz + 0.48 * self.bandwidth_hz).min(HALF_BAND_HZ);
        let message_s = f64::from(frames.number()) * (frame_s(bit_rate) + PAUSE_S);
        for slot in 0..((high_hz - low_hz) / SLOT_HZ) as usize {
            let carriers = (0..frames.number())
                .map(|_| low_hz + (slot as f64 + rng.random_range(0.3..0.7)) * SLOT_HZ);
            let offsets_hz = carriers.collect();
            let sender = Sender {
                bit_rate,
                shape: Shape::Rect,
                level_dbm: -125.0,
                payload_bytes: 12,
                crystal_ppm: symmetric(MAX_CLOCK_ERROR_PPM, &mut rng),
                drift_hz_per_s: 0.0,
                pause_s: PAUSE_S,
                time_s: LEAD_IN_S + rng.random_range(0.0..DURATION_S - message_s - 2.0 * LEAD_IN_S),
                offsets_hz,
            };
            let device = sender.device(&scene, &mut rng)?;
            scene.devices.push(device);
        }
        Ok(scene)
    }
}

/// `crowd` messages of three frames that start within 30 s, where the devices' own generators put
/// them, from -130 to -100 dBm, of all pulse shapes: scenes of this kind until at least `messages`
/// were sent.
///
/// # Errors
/// When a scene or the receiver cannot be set up.
pub fn crowd(
    crowd: u32,
    bit_rates: &[BitRate],
    messages: usize,
    seed: u64,
    impairments: &Impairments,
) -> Result<Tally> {
    in_traffic(&crowd_traffic(crowd, bit_rates), messages, seed, impairments)
}

fn crowd_traffic(crowd: u32, bit_rates: &[BitRate]) -> Traffic {
    traffic(crowd, [-130.0, -100.0], bit_rates)
}

/// A scene of [`crowd`].
#[must_use]
pub fn crowd_scene(crowd: u32, bit_rates: &[BitRate], seed: u64) -> Scene {
    traffic_scene(&crowd_traffic(crowd, bit_rates), seed)
}

/// The first scene of [`crowd`], received and read by a plain differential detector too: how many
/// messages it reads comes second.
///
/// # Errors
/// When a scene or the receiver cannot be set up.
pub fn crowd_beside_differential(
    crowd: u32,
    bit_rates: &[BitRate],
    seed: u64,
    impairments: &Impairments,
) -> Result<(ReceptionCounts, usize)> {
    let mut seeds = ChaCha12Rng::seed_from_u64(seed);
    let mut scene = crowd_scene(crowd, bit_rates, seeds.random());
    impairments.apply(&mut scene)?;
    let counts = Reception::of(&scene, &BitRate::ALL)?.counts();
    Ok((counts, heard_differentially(&scene)?))
}

/// Messages of three frames at an Eb/N0 of 0 dB that start within 30 s, ten at a time, where the
/// devices' own generators put them. `bidirectional` ones ask for a downlink.
///
/// # Errors
/// When a scene or the receiver cannot be set up.
pub fn faint(
    bidirectional: bool,
    messages: usize,
    seed: u64,
    impairments: &Impairments,
) -> Result<Tally> {
    let level_dbm = level_dbm(BitRate::Bps100, 0.0);
    let traffic = Traffic {
        payload_bytes: if bidirectional { [8, 8] } else { [12, 12] },
        bidirectional_share: if bidirectional { 1.0 } else { 0.0 },
        shapes: Some(vec![Shape::Rect]),
        ..traffic(10, [level_dbm; 2], &[BitRate::Bps100])
    };
    in_traffic(&traffic, messages, seed, impairments)
}

/// One-way messages of 12 bytes and all pulse shapes, at levels from one to another.
fn traffic(messages: u32, level_dbm: [f64; 2], bit_rates: &[BitRate]) -> Traffic {
    Traffic {
        messages,
        level_dbm,
        crystal_ppm: [-MAX_CLOCK_ERROR_PPM, MAX_CLOCK_ERROR_PPM],
        drift_hz_per_s: [0.0, 0.0],
        wander: Wander::default(),
        bit_rate_error_ppm: [0.0, 0.0],
        doppler_hz: None,
        pause_s: [CROWD_PAUSE_S; 2],
        payload_bytes: [12, 12],
        bidirectional_share: 0.0,
        bit_rates: Some(bit_rates.to_vec()),
        shapes: None,
    }
}

fn in_traffic(
    traffic: &Traffic,
    messages: usize,
    seed: u64,
    impairments: &Impairments,
) -> Result<Tally> {
    let kinds: [Kind<'_>; 1] = [("all", &|_| true)];
    Tally::collect(messages, seed, &kinds, impairments, |seed| Ok(traffic_scene(traffic, seed)))
}

fn traffic_scene(traffic: &Traffic, seed: u64) -> Scene {
    const WINDOW_S: f64 = 30.0;
    let bit_rates = traffic.bit_rates.iter().flatten();
    let slowest_s = bit_rates.map(|&bit_rate| frame_s(bit_rate)).fold(0.0, f64::max);
    let mut scene = empty_scene(WINDOW_S + 3.0 * slowest_s + 2.0 * CROWD_PAUSE_S, seed);
    scene.traffic = Some(traffic.clone());
    scene
}

/// Noise alone: what the receiver makes of it. At least `duration_s` seconds of it, in whole pieces.
///
/// # Errors
/// When a scene or the receiver cannot be set up.
pub fn noise(duration_s: f64, seed: u64, impairments: &Impairments) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut seeds = ChaCha12Rng::seed_from_u64(seed);
    while tally.air_s < duration_s {
        let mut scene = empty_scene(NOISE_PIECE_S.min(duration_s - tally.air_s), seeds.random());
        impairments.apply(&mut scene)?;
        tally.add(&Reception::of(&scene, &BitRate::ALL)?, &[]);
    }
    Ok(tally)
}
