//! `nap listen` over a network that delays, pauses and catches up, and loses nothing.
//!
//! These tests go by the clock, since the watchdogs do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]
#![allow(clippy::print_stdout, reason = "what was measured")]

mod common;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::cu8;
use common::frames::{PERIOD_S, found, sent};
use common::live::Listening;
use rand::{RngExt, SeedableRng};

/// Bytes a second of `cu8` at 250 kS/s.
const BYTES_PER_S: f64 = 500e3;
/// Of the recording, before the first frame.
const QUIET_S: f64 = 0.9;
/// What the recording and the receiver call the start of a frame differs by less, in seconds.
const TOLERANCE_S: f64 = 0.02;
const RAW: [&str; 6] =
    ["--sample-format", "cu8", "--sample-rate", "250k", "--center-frequency", "868.13M"];

/// `rc1_two_uplinks` with quiet after it, to be played over and over.
fn air() -> Vec<u8> {
    let mut bytes = cu8();
    let quiet = bytes[..(QUIET_S * BYTES_PER_S) as usize].to_vec();
    let rest = quiet.iter().cycle().take((PERIOD_S * BYTES_PER_S) as usize - bytes.len());
    bytes.extend(rest);
    bytes
}

/// A time in which nothing gets through.
#[derive(Clone, Copy)]
struct Pause {
    /// How many seconds of signal a second brings afterwards, until nothing is held back any more.
    catch_up: f64,
    /// Since the start of the stream, in seconds by the clock.
    start_s: f64,
    duration_s: f64,
}

/// Pauses of the same kind, one after the other.
fn pauses(starts_s: &[f64], duration_s: f64, catch_up: f64) -> Vec<Pause> {
    starts_s.iter().map(|&start_s| Pause { catch_up, start_s, duration_s }).collect()
}

/// Sends what is on the air, `speed` times as fast as it was, over a way that pauses and delays pieces, until
/// the client goes: silence at the end would be a pause too, as long as the test takes to notice it.
fn send(stream: &mut TcpStream, speed: f64, pauses: &[Pause], max_delay_s: f64) {
    const STEP_S: f64 = 0.01;
    let air = air();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let rate = speed * BYTES_PER_S;
    let (started, mut sent, mut last_s) = (Instant::now(), 0_usize, 0.0);
    loop {
        thread::sleep(Duration::from_secs_f64(STEP_S + max_delay_s * rng.random_range(0.0..1.0)));
        let now_s = started.elapsed().as_secs_f64();
        let before = pauses.iter().rfind(|pause| pause.start_s <= now_s);
        let catch_up = before.map_or(10.0, |pause| pause.catch_up);
        let open_s = before.map_or(0.0, |pause| pause.start_s + pause.duration_s);
        // Through the pause nothing goes, and after it no more than the way can carry.
        let carried_s = now_s - open_s.max(last_s);
        last_s = now_s;
        if carried_s <= 0.0 {
            continue;
        }
        let taken = (now_s * rate) as usize;
        let end = taken.min(sent + (catch_up * carried_s * rate) as usize) / 2 * 2;
        while sent < end {
            let from = sent % air.len();
            let to = air.len().min(from + end - sent);
            if stream.write_all(&air[from..to]).is_err() {
                return;
            }
            sent += to - from;
        }
    }
}

/// Serves one client, and says where.
fn serve(serve: impl Fn(&mut TcpStream) + Send + 'static) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        serve(&mut stream);
    });
    (address, server)
}

fn listen(source: &str, speed: f64, more: &[&str]) -> Listening {
    let speed = speed.to_string();
    let mut arguments = vec![source, "--replay", &speed, "--report", "complete"];
    arguments.extend(["--http", "127.0.0.1:0"]);
    arguments.extend(more);
    Listening::start(&arguments)
}

/// Checks that nothing was thought to be wrong, and that all frames until then were found at their times.
/// Returns how many there are.
fn check(mut listening: Listening, until_s: f64) -> usize {
    let restarts = listening.metric("nap_restarts_total");
    let lost = listening.metric("nap_lost_samples_total");
    assert!(listening.end("INT").success(), "{}", listening.story());
    let story = listening.story();
    assert_eq!((restarts, lost, listening.times_said("warning")), (0.0, 0.0, 0), "{story}");
    let (found, expected) = (found(&listening), sent(0.0, until_s));
    for (device, rank, time_s) in &expected {
        let hits = found.iter().filter(|frame| {
            (&frame.0, frame.1) == (device, *rank) && (frame.2 - time_s).abs() < TOLERANCE_S
        });
        assert_eq!(hits.count(), 1, "{device} {rank} at {time_s} s: {found:?}\n{story}");
    }
    expected.len()
}

/// Lets `nap listen` run until it has received so much, in seconds of signal.
fn watch(listening: &mut Listening, limit_s: f64, until_s: f64) {
    let deadline = Instant::now() + Duration::from_secs_f64(limit_s);
    listening.watch_until(Duration::from_secs_f64(limit_s), |l| l.when_said("MS/s").is_some());
    while listening.metric("nap_samples_total") < until_s * 250e3 - 1.0 {
        assert!(Instant::now() < deadline, "too slow: {}", listening.story());
        listening.watch(Duration::from_millis(200));
    }
}

#[test]
fn a_receiver_may_take_seconds_until_its_first_samples() {
    const SPEED: f64 = 4.0;
    const DURATION_S: f64 = 2.4;
    let (address, server) = serve(|stream| {
        stream.write_all(b"RTL0\0\0\0\x05\0\0\0\x1d").unwrap();
        thread::sleep(Duration::from_millis(2500));
        send(stream, SPEED, &[], 0.0);
    });
    let source = format!("rtl_tcp://{address}");
    let tuning = ["--sample-rate", "250k", "--gain", "40", "--center-frequency", "868.13M"];
    let mut listening = listen(&source, SPEED, &tuning);
    watch(&mut listening, 12.0, SPEED * DURATION_S);
    assert_eq!(check(listening, SPEED * DURATION_S), 6);
    server.join().unwrap();
}

#[test]
fn what_is_held_back_and_caught_up_on_is_not_missed() {
    const SPEED: f64 = 4.0;
    const DURATION_S: f64 = 6.0;
    for (duration_s, catch_up) in [(0.8, 1.2), (0.5, 1.5)] {
        let (address, server) = serve(move |stream| {
            let pauses = pauses(&[0.4, 2.4, 4.4], duration_s, catch_up);
            send(stream, SPEED, &pauses, 0.0);
        });
        let mut listening = listen(&format!("tcp://{address}"), SPEED, &RAW);
        watch(&mut listening, 20.0, SPEED * DURATION_S);
        assert_eq!(check(listening, SPEED * DURATION_S), 12);
        server.join().unwrap();
    }
}

/// Pauses of up to a second at places that a seed chooses, and what follows them.
fn random_pauses(total_s: f64) -> Vec<Pause> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(20);
    let (mut pauses, mut start_s) = (Vec::new(), 0.5);
    while start_s < total_s {
        let duration_s = rng.random_range(0.1..1.0);
        let catch_up = if rng.random_bool(0.5) { 1.2 } else { rng.random_range(1.3..10.0) };
        pauses.push(Pause { catch_up, start_s, duration_s });
        start_s += duration_s + rng.random_range(1.3..9.0);
    }
    pauses
}

/// Seconds by default, at four times the speed; `make soak-network` takes minutes, in real time.
#[test]
fn soak() {
    let minutes = std::env::var("NAP_SOAK_MINUTES").ok().and_then(|text| text.parse().ok());
    let (speed, duration_s) = minutes.map_or((4.0, 7.0), |minutes: f64| (1.0, 60.0 * minutes));
    let pauses = random_pauses(duration_s);
    let count = pauses.len();
    let (address, server) = serve(move |stream| send(stream, speed, &pauses, 0.05));
    let mut listening = listen(&format!("tcp://{address}"), speed, &RAW);
    watch(&mut listening, duration_s + 20.0, speed * duration_s);
    let frames = check(listening, speed * duration_s);
    server.join().unwrap();
    println!("{count} pauses in {duration_s} s: all {frames} frames, nothing missed");
    assert!(frames > 8);
}
