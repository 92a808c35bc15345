//! A day's budget: 840 messages in a day of air, part by part, and the headroom on one core.
//!
//! A quiet channel is measured by the second and a message by what it adds; a table at the end puts the day
//! together.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(clippy::print_stdout, reason = "it prints its results")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use nap_benches::{Recording, Subbands, timed};
use nap_phy::{
    Authentication, Bitstream, Content, DeviceId, Frame, Key, MessageCounter, Payload, Rank, Uplink,
};

const DAY_S: f64 = 86_400.0;
/// Messages of a day.
const MESSAGES: usize = 840;
/// A quiet stretch, and one with messages that do not meet.
const QUIET_S: f64 = 8.0;
const SPARSE_S: f64 = 80.0;
const SPARSE_MESSAGES: usize = 10;
const SYMBOL_RATES_HZ: [f64; 2] = [100.0, 600.0];
const RUNS: usize = 7;

fn recording(messages: usize, duration_s: f64) -> Recording {
    Recording::sparse(messages, duration_s, 1).unwrap_or_else(|error| unreachable!("{error}"))
}

fn filter_bank(recording: &Recording) {
    recording.channelizer().push(black_box(&recording.samples), |column| {
        black_box(column);
    });
}

fn detection(subbands: &Subbands) -> usize {
    SYMBOL_RATES_HZ.iter().map(|&rate_hz| subbands.search(rate_hz).0.len()).sum()
}

fn receive(recording: &Recording) -> usize {
    recording.receive().unwrap_or_else(|error| unreachable!("{error}"))
}

/// The frames of a day's messages, and the key that made them.
fn frames() -> (Vec<Bitstream>, Key) {
    let key = Key::from_bytes([7; 16]);
    let content = Content::Bytes(Payload::new(&[0x5a; 12]).unwrap_or_else(|_| unreachable!()));
    let frame = |n: usize| {
        let counter = MessageCounter::new(n as u16).unwrap_or_else(|_| unreachable!());
        let rank = Rank::ALL[n % 3];
        Uplink::new(DeviceId(n as u32), counter, content.clone()).encode(rank, &key)
    };
    ((0..MESSAGES).map(frame).collect(), key)
}

/// Takes the frames apart and checks their tags.
fn parse_and_authenticate((frames, key): &(Vec<Bitstream>, Key)) -> usize {
    let is_verified = |bitstream: &&Bitstream| {
        Frame::parse(bitstream)
            .is_ok_and(|frame| frame.container().authenticate(key) == Authentication::Verified)
    };
    black_box(frames).iter().filter(is_verified).count()
}

fn day(criterion: &mut Criterion) {
    let quiet = recording(0, QUIET_S);
    let subbands = Subbands::of(&quiet);
    let mut group = criterion.benchmark_group("day, eight seconds of a quiet channel");
    group.sample_size(10);
    group.throughput(Throughput::Elements(quiet.samples.len() as u64));
    group.bench_function("filter bank", |bencher| bencher.iter(|| filter_bank(&quiet)));
    group.bench_function("detection", |bencher| bencher.iter(|| detection(&subbands)));
    group.bench_function("receiver", |bencher| bencher.iter(|| receive(&quiet)));
    group.finish();
    let frames = frames();
    let mut group = criterion.benchmark_group("day, 840 messages");
    group.throughput(Throughput::Elements(MESSAGES as u64));
    group.bench_function("frames parsed and authenticated", |bencher| {
        bencher.iter(|| parse_and_authenticate(&frames));
    });
    group.finish();
}

/// The least CPU time of some runs, in seconds: what others did meanwhile makes it longer.
fn min_s<T>(mut work: impl FnMut() -> T) -> f64 {
    let run = |_| timed(|| _ = black_box(work())).as_secs_f64();
    (0..RUNS).map(run).fold(f64::INFINITY, f64::min)
}

/// The day, put together. Its quiet parts are measured over a stretch that the caches hold as they hold a
/// receiver's last seconds.
fn print_day() {
    let (short, quiet) = (recording(0, QUIET_S), recording(0, SPARSE_S));
    let busy = recording(SPARSE_MESSAGES, SPARSE_S);
    let subbands = Subbands::of(&short);
    let frames = frames();
    let of_day = DAY_S / QUIET_S;
    let all_s = of_day * min_s(|| receive(&short));
    let filter_bank_s = of_day * min_s(|| filter_bank(&short));
    let detection_s = of_day * min_s(|| detection(&subbands));
    let added_s = min_s(|| receive(&busy)) - min_s(|| receive(&quiet));
    let messages_s = added_s * MESSAGES as f64 / SPARSE_MESSAGES as f64;
    let frames_s = min_s(|| parse_and_authenticate(&frames));
    let rows = [
        ("filter bank, all day", filter_bank_s),
        ("detection of both bit rates, all day", detection_s),
        ("what looks like a burst in noise, all day", all_s - filter_bank_s - detection_s),
        ("840 messages of three frames: found, decoded, cancelled", messages_s - frames_s),
        ("840 frames parsed and authenticated", frames_s),
        ("all", all_s + messages_s),
    ];
    println!("| part of a day with 840 messages | CPU time, s | of one core, % |");
    println!("| --- | ---: | ---: |");
    for (part, cost_s) in rows {
        println!("| {part} | {cost_s:.4} | {:.5} |", 100.0 * cost_s / DAY_S);
    }
    let (whole_s, headroom) = (all_s + messages_s, 100.0 - 100.0 * (all_s + messages_s) / DAY_S);
    println!();
    println!("Headroom: {headroom:.2} % of one core, {:.0} x real time.", DAY_S / whole_s);
    println!("Frames alone: {:.0} us for 840 messages.", 1e6 * frames_s);
}

criterion_group!(benches, day);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // Not where `cargo test` only wants to know that the benches run.
    if std::env::args().any(|argument| argument == "--bench") {
        print_day();
    }
}
