//! Channels that are busy all the time, and what they cost.

use std::hint::black_box;

use anyhow::Result;
use nap_phy::scene::{Scene, Shape};
use nap_phy::{BitRate, Event, Receiver, ReceiverConfig};
use num_complex::Complex32;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rustfft::FftPlanner;

use crate::sender::{HALF_BAND_HZ, Sender, empty_scene, frame_s, symmetric};

/// Length of the bare pass's transforms, which overlap by half.
const FFT_LENGTH: usize = 65_536;
const BIT_RATE: BitRate = BitRate::Bps100;
const MAX_CLOCK_ERROR_PPM: f64 = 20.0;

/// Samples of an RC1 channel.
#[derive(Debug)]
pub struct Recording {
    /// The samples.
    pub samples: Vec<Complex32>,
    /// Of these, those of a second.
    pub sample_rate_hz: f64,
    /// Frequency of the samples' 0 Hz.
    pub center_hz: f64,
}

impl Recording {
    /// A channel in which `at_once` devices at 100 bit/s are on the air at any time, with all frames
    /// of one message after the other and without pauses, anywhere in the channel and from -130 to
    /// -100 dBm. It begins and ends in the middle of frames.
    ///
    /// # Errors
    /// When the scene cannot be set up.
    pub fn busy(at_once: usize, duration_s: f64, seed: u64) -> Result<Self> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let message_s = 3.0 * frame_s(BIT_RATE);
        let messages = (duration_s / message_s).ceil() as usize + 2;
        let mut scene = empty_scene((messages as f64 + 1.0) * message_s, seed);
        for _ in 0..at_once {
            let first_s = rng.random_range(0.0..message_s);
            for message in 0..messages {
                let time_s = first_s + message as f64 * message_s;
                let sender = random_sender(time_s, &mut rng);
                let device = sender.device(&scene, &mut rng)?;
                scene.devices.push(device);
            }
        }
        Self::cut(&scene, message_s, duration_s)
    }

    /// A channel with messages of three frames one after the other, of which no two meet.
    ///
    /// # Errors
    /// When the scene cannot be set up.
    pub fn sparse(messages: usize, duration_s: f64, seed: u64) -> Result<Self> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let mut scene = empty_scene(duration_s, seed);
        for message in 0..messages {
            let time_s = 0.1 + message as f64 * (duration_s - 0.2) / messages as f64;
            let sender = random_sender(time_s, &mut rng);
            let device = sender.device(&scene, &mut rng)?;
            scene.devices.push(device);
        }
        Self::cut(&scene, 0.0, duration_s)
    }

    fn cut(scene: &Scene, start_s: f64, duration_s: f64) -> Result<Self> {
        let (mut simulator, _) = scene.build()?;
        let count = |seconds: f64| (seconds * scene.sample_rate_hz) as usize;
        simulator.render(&mut vec![Complex32::default(); count(start_s)]);
        let mut samples = vec![Complex32::default(); count(duration_s)];
        simulator.render(&mut samples);
        Ok(Self { samples, sample_rate_hz: scene.sample_rate_hz, center_hz: scene.center_hz() })
    }

    /// Its length in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / self.sample_rate_hz
    }

    /// Receives it, both bit rates, and returns how many messages were heard.
    ///
    /// # Errors
    /// When the receiver cannot be set up.
    pub fn receive(&self) -> Result<usize> {
        let mut receiver = Receiver::new(ReceiverConfig::new(self.sample_rate_hz, self.center_hz))?;
        let mut events = receiver.push(black_box(&self.samples));
        events.extend(receiver.flush());
        Ok(events.into_iter().filter_map(Event::complete).count())
    }

    /// The unit that receivers are measured in: Fourier transforms over all samples, each of 65 536
    /// of them and half overlapping the one before.
    pub fn bare_fft(&self) {
        let fft = FftPlanner::new().plan_fft_forward(FFT_LENGTH);
        let mut scratch = vec![Complex32::default(); fft.get_inplace_scratch_len()];
        let mut block = vec![Complex32::default(); FFT_LENGTH];
        let samples = black_box(&self.samples);
        for part in samples.windows(FFT_LENGTH).step_by(FFT_LENGTH / 2) {
            block.copy_from_slice(part);
            fft.process_with_scratch(&mut block, &mut scratch);
            black_box(&mut block);
        }
    }
}

fn random_sender(time_s: f64, rng: &mut ChaCha12Rng) -> Sender {
    Sender {
        bit_rate: BIT_RATE,
        shape: Shape::Rect,
        level_dbm: rng.random_range(-130.0..-100.0),
        payload_bytes: 12,
        crystal_ppm: symmetric(MAX_CLOCK_ERROR_PPM, rng),
        drift_hz_per_s: 0.0,
        pause_s: 0.0,
        time_s,
        offsets_hz: (0..3).map(|_| symmetric(HALF_BAND_HZ, rng)).collect(),
    }
}
