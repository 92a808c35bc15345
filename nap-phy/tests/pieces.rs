//! Recordings that are decoded in pieces, against the same recordings in one go.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]
#![cfg(feature = "scene")]

use std::convert::Infallible;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use nap_phy::receiver::Statistics;
use nap_phy::receiver::pieces::decode::Found;
use nap_phy::receiver::pieces::plan::{self, Piece};
use nap_phy::receiver::pieces::seams::sew;
use nap_phy::receiver::pieces::{self, Recording, split};
use nap_phy::scene::{Scene, Truth};
use nap_phy::schema::{MessageRecord, MessageRecordType};
use nap_phy::{BitRate, Decoder, DeviceTable, Message, MessageId, ReceiverConfig};
use num_complex::Complex32;

/// A recording in memory, as bytes.
struct Samples(Vec<[i8; 2]>);

impl Samples {
    fn render(scene: &Scene) -> (Truth, Self) {
        let (mut simulator, truth) = scene.build().unwrap();
        let mut samples = Vec::with_capacity(scene.samples() as usize);
        let mut block = vec![Complex32::default(); 1 << 16];
        while samples.len() < scene.samples() as usize {
            simulator.render(&mut block);
            let left = scene.samples() as usize - samples.len();
            let byte = |part: f32| (part * 128.0).round().clamp(-128.0, 127.0) as i8;
            samples.extend(block.iter().take(left).map(|s| [byte(s.re), byte(s.im)]));
        }
        (truth, Self(samples))
    }

    fn read(&self, first: &mut usize, block: &mut [Complex32]) -> usize {
        let samples = &self.0[*first..];
        for (sample, &[re, im]) in block.iter_mut().zip(samples) {
            *sample = Complex32::new(f32::from(re), f32::from(im)) / 128.0;
        }
        let count = block.len().min(samples.len());
        *first += count;
        count
    }
}

fn decode(
    samples: &Samples,
    pieces: &[Piece],
    configs: &[ReceiverConfig],
    threads: usize,
) -> (Vec<Message>, Statistics) {
    decode_over(samples, &[], pieces, configs, threads)
}

/// The same of a recording in which samples are missing.
fn decode_over(
    samples: &Samples,
    gaps: &[Range<u64>],
    pieces: &[Piece],
    configs: &[ReceiverConfig],
    threads: usize,
) -> (Vec<Message>, Statistics) {
    let there = |position: u64| {
        let passed = gaps.iter().filter(|gap| gap.start < position);
        position - passed.map(|gap| gap.end.min(position) - gap.start).sum::<u64>()
    };
    let done = AtomicU64::new(0);
    let recording = Recording {
        pieces: pieces.to_vec(),
        gaps: gaps.to_vec(),
        configs: configs.to_vec(),
        open: |first: u64| {
            let mut first = there(first) as usize;
            Ok::<_, Infallible>(move |block: &mut [Complex32]| Ok(samples.read(&mut first, block)))
        },
        progress: |count| {
            done.fetch_add(count, Ordering::Relaxed);
        },
    };
    let (jobs, decoding) = split(recording);
    let (jobs, stop) = (Mutex::new(jobs.into_iter()), AtomicBool::new(false));
    let next = || jobs.lock().unwrap().next();
    let mut messages = Vec::new();
    let ending = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = next() {
                    job.run(&stop);
                }
            });
        }
        decoding.finish(|message| messages.push(message))
    })
    .unwrap();
    assert_eq!(done.into_inner(), samples.0.len() as u64);
    (messages, ending.statistics)
}

fn config(scene: &Scene) -> ReceiverConfig {
    let config = ReceiverConfig::new(scene.sample_rate_hz, scene.center_hz());
    config.with_radio_configuration(scene.radio_configuration)
}

/// A device with one message.
fn device(id: u32, level_dbm: f64, bit_rate: BitRate, time_s: f64) -> String {
    format!(
        "[[device]]\nid = \"{id:08X}\"\nkey = \"00112233445566778899AABBCCDDEEFF\"\n\
         level_dbm = {level_dbm}\nbit_rate = {bit_rate}\nrandom_value = {}\n\
         [[device.message]]\ntime_s = {time_s}\npayload = \"0102030405060708{id:08X}\"\n",
        id * 601 % 16_384
    )
}

/// Equal to the last bit: messages of 600 bit/s so faint that no frame decodes alone, every six seconds, each a tenth of a second
/// later than the one before: the pieces' seams go all through them.
#[test]
fn faint_messages_across_seams() {
    const SPACING_S: f64 = 6.0;
    const MESSAGES: u32 = 27;
    // A message takes 2.04 s.
    let time_s = |k: u32| f64::from(k + 1) * SPACING_S - 2.3 + 0.1 * f64::from(k);
    let one = |k: u32| device(1000 + k, -138.2, BitRate::Bps600, time_s(k));
    let devices: String = (0..MESSAGES).map(one).collect();
    let duration_s = f64::from(MESSAGES + 1) * SPACING_S + 4.0;
    let scene: Scene = toml::from_str(&format!(
        "sample_rate_hz = 200_000\nduration_s = {duration_s}\nseed = 7\n{devices}"
    ))
    .unwrap();
    let (truth, samples) = Samples::render(&scene);
    let mut configs = [config(&scene)];
    configs[0].bit_rates = vec![BitRate::Bps600];
    let (expected, in_one_go) = decode(&samples, &plan::whole(), &configs, 1);
    let joint = expected.iter().filter(|message| message.decoder == Decoder::Joint).count();
    assert_eq!((expected.len(), joint), (truth.messages.len(), truth.messages.len()));
    let seams: Vec<u64> =
        (1..=MESSAGES).map(|k| (f64::from(k) * SPACING_S * 200e3) as u64).collect();
    let pieces = plan::plan_at(samples.0.len() as u64, &seams, &configs).unwrap();
    let (found, in_pieces) = decode(&samples, &pieces, &configs, 2);
    assert_eq!(found, expected);
    // What is on the edge of being tried or told may fall to either side: rounding depends on where a piece
    // begins.
    let mut in_pieces = in_pieces;
    for (counter, expected, edge) in [
        (&mut in_pieces.refuted_decisions, in_one_go.refuted_decisions, 3),
        (&mut in_pieces.undecoded_bursts, in_one_go.undecoded_bursts, 2),
    ] {
        assert!(counter.abs_diff(expected) <= edge, "{counter}, not {expected}");
        *counter = expected;
    }
    assert_eq!(in_pieces, in_one_go);
}

#[test]
fn a_recording_that_is_cut_short_says_so_after_its_last_sample() {
    let configs = [ReceiverConfig::new(250_000.0, 868_130_000.0)];
    for count in [1, 2] {
        let recording = Recording {
            pieces: plan::plan(500_000, count, &configs).unwrap(),
            gaps: Vec::new(),
            configs: configs.to_vec(),
            open: |first: u64| {
                let mut left = 500_000 - first as usize;
                Ok(move |block: &mut [Complex32]| {
                    let count = block.len().min(left);
                    left -= count;
                    if count > 0 { Ok(count) } else { Err("cut short") }
                })
            },
            progress: |_| (),
        };
        let (jobs, decoding) = split(recording);
        let stop = AtomicBool::new(false);
        jobs.into_iter().for_each(|job| job.run(&stop));
        let ending = decoding.finish(|_| ()).unwrap();
        assert_eq!((ending.read, ending.statistics.samples), (Err("cut short"), 500_000));
    }
}

/// Samples are missing for less than the longest filled gap and for more, once across a seam: what is
/// heard beside the gaps is heard at its time, in one go and in pieces.
#[test]
fn messages_keep_their_times_over_gaps() {
    const MESSAGES: u32 = 15;
    let one = |k: u32| device(2000 + k, -110.0, BitRate::Bps600, 1.0 + 6.0 * f64::from(k));
    let devices: String = (0..MESSAGES).map(one).collect();
    let scene: Scene =
        toml::from_str(&format!("sample_rate_hz = 200_000\nduration_s = 94\nseed = 8\n{devices}"))
            .unwrap();
    let (truth, mut samples) = Samples::render(&scene);
    let total = samples.0.len() as u64;
    let gaps = [(10.5, 16.5), (40.5, 64.5)];
    for (start_s, end_s) in gaps.into_iter().rev() {
        samples.0.drain((start_s * 200e3) as usize..(end_s * 200e3) as usize);
    }
    let gaps = gaps.map(|(start_s, end_s)| (start_s * 200e3) as u64..(end_s * 200e3) as u64);
    let mut configs = [config(&scene)];
    configs[0].bit_rates = vec![BitRate::Bps600];
    let is_heard = |time_s: f64| {
        let sample = (time_s * 200e3) as u64;
        !gaps.iter().any(|gap| gap.contains(&sample))
    };
    let sent = truth.messages.iter().map(|message| message.frames[0].time_s);
    let expected: Vec<f64> = sent.filter(|&time_s| is_heard(time_s)).collect();
    assert_eq!(expected.len(), 10);
    let seams = plan::plan_at(total, &[6_000_000, 10_000_000], &configs).unwrap();
    let even = plan::plan_over(total, &gaps, 2, &configs).unwrap();
    // As many samples in each: 32 s.
    assert_eq!(even[0].own.end, (32.0_f64 + 6.0) as u64 * 200_000);
    for pieces in [plan::whole(), seams, even] {
        let (found, statistics) = decode_over(&samples, &gaps, &pieces, &configs, 2);
        let times: Vec<f64> = found.iter().map(|message| message.signal.time_s).collect();
        assert_eq!(times.len(), expected.len(), "{times:?}");
        for (found, sent) in times.iter().zip(&expected) {
            assert!((found - sent).abs() < 2e-3, "{found}, not {sent}");
        }
        assert_eq!(statistics.lost_samples, 6_000_000);
    }
}

/// Pieces that are decoded each by itself, of which the records are sent as JSON; the last ones are shorter than a
/// message, and than what a piece reads after its own samples.
#[test]
fn records_of_pieces_apart() {
    let one = |k: u32| device(2000 + k, -110.0, BitRate::Bps600, 0.4 + 2.3 * f64::from(k));
    let devices: String = (0..4).map(one).collect();
    let scene: Scene = toml::from_str(&format!(
        "sample_rate_hz = 200_000\nduration_s = 10.0\nseed = 5\n{devices}"
    ))
    .unwrap();
    let (_, samples) = Samples::render(&scene);
    let mut configs = [config(&scene)];
    configs[0].bit_rates = vec![BitRate::Bps600];
    let table = DeviceTable::new();
    let record =
        |message: Message| MessageRecord::new(MessageRecordType::Message, &message, None, &table);
    let (expected, _) = decode(&samples, &plan::whole(), &configs, 1);
    let expected: Vec<MessageRecord> = expected.into_iter().map(record).collect();
    assert_eq!(expected.len(), 4);
    let seams = [400_000, 900_000, 1_500_000, 1_900_000];
    let pieces = plan::plan_at(samples.0.len() as u64, &seams, &configs).unwrap();
    let found = pieces.iter().map(|piece| {
        let mut first = piece.read.start as usize;
        let read = |block: &mut [Complex32]| Ok::<_, Infallible>(samples.read(&mut first, block));
        let mut sent = Vec::new();
        let report = |found: Found| {
            sent.push(serde_json::to_string(&found.map(record)).unwrap());
            true
        };
        let stop = AtomicBool::new(false);
        pieces::decode::decode(piece, &[], &configs, read, &stop, |_| (), report)
            .unwrap()
            .read
            .unwrap();
        sent.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    });
    let sewn: Vec<MessageRecord> = sew(&pieces, found.collect(), MessageId(7));
    let renumbered = expected
        .into_iter()
        .map(|record| MessageRecord { message_id: MessageId(record.message_id.0 + 7), ..record });
    assert_eq!(sewn, renumbered.collect::<Vec<_>>());
}
