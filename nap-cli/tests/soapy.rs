//! `nap listen` through libSoapySDR, with a radio that plays a recording and misbehaves when told to.
//!
//! These tests go by the clock, since the watchdogs do; the recording plays faster than it was made.
#![cfg(feature = "soapy")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic in a test is a failed test")]
#![allow(clippy::print_stdout, reason = "what was measured")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::frames::{PERIOD_S, found, sent};
use common::live::Listening;
use common::{json_lines, nap, recording};
use rand::{RngExt, SeedableRng};
use serde_json::Value;

/// What is lost beside a fault itself: frames that it cuts, the pause before the next trial, and what
/// was not read yet, in seconds by the clock.
const AFTERMATH_S: f64 = 1.0;
/// How well times are known after an interruption, in seconds by the clock.
const CLOCK_S: f64 = 0.1;
/// The folder with the module, which is made if need be.
static MODULE: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let made = Command::new("make").arg("virtual-device").current_dir(root).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    root.join("out/virtual-device")
});

/// A radio that plays `rc1_two_uplinks` over and over.
struct Air {
    epoch_s: f64,
    started: Instant,
    speed: f64,
    more: String,
    _alone: MutexGuard<'static, ()>,
}

/// The tests watch the clock, so that two of them at a time would disturb each other.
static ALONE: Mutex<()> = Mutex::new(());

impl Air {
    fn new(speed: f64, more: &str) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        // Making it takes seconds, which are not the test's.
        LazyLock::force(&MODULE);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            epoch_s: now.as_secs_f64(),
            started: Instant::now(),
            speed,
            more: more.to_owned(),
            _alone: alone,
        }
    }

    fn arguments(&self) -> String {
        format!(
            "driver=napvirtual,file={},period={PERIOD_S},quiet=0.9,speed={},epoch={:.6},{}",
            recording("rc1_two_uplinks.sigmf-data").display(),
            self.speed,
            self.epoch_s,
            self.more
        )
    }

    /// Listens, with counters over HTTP.
    fn listen(&self, more: &[&str]) -> Listening {
        let (radio, speed) = (self.arguments(), self.speed.to_string());
        let mut arguments = vec!["--radio", &radio, "--replay", &speed];
        arguments.extend(["--radio-configuration", "RC1", "--http", "127.0.0.1:0"]);
        if !more.contains(&"--sample-rate") {
            arguments.extend(["--sample-rate", "250k"]);
        }
        arguments.extend(more);
        Listening::start_with(&arguments, |command| {
            command.env("SOAPY_SDR_PLUGIN_PATH", &*MODULE);
        })
    }

    /// Waits until the recording has played for so many seconds.
    fn wait_for(&self, listening: &mut Listening, air_s: f64) {
        let end = self.started + Duration::from_secs_f64(air_s / self.speed);
        listening.watch(end.saturating_duration_since(Instant::now()));
    }

    /// What the recording has played by then, in seconds.
    fn air_s(&self, at: Instant) -> f64 {
        at.duration_since(self.started).as_secs_f64() * self.speed
    }
}

/// Checks that all frames between two times of the air were found, at the right times. The stream begins
/// when the radio is opened; `tolerance_s` is for the times by the clock after an interruption. Returns how
/// many frames there are.
fn check_frames(
    listening: &Listening,
    from_s: f64,
    to_s: f64,
    start_s: f64,
    tolerance_s: f64,
) -> usize {
    let found = found(listening);
    let expected = sent(from_s, to_s);
    let count = expected.len();
    for (id, rank, time_s) in expected {
        let hit = found.iter().any(|(found_id, found_rank, found_s)| {
            *found_id == id
                && *found_rank == rank
                && (found_s + start_s - time_s).abs() < tolerance_s
        });
        let story = listening.story();
        assert!(hit, "{id} {rank} at {time_s} is not among {found:?} from {start_s}\n{story}");
    }
    count
}

/// When the stream has begun in the time of the air: about when the radio was opened, and exactly by
/// the first frame.
fn start_s(listening: &Listening, air: &Air) -> f64 {
    let opened_s = air.air_s(listening.when_said("MS/s around").unwrap());
    let found = found(listening);
    let first = found.iter().min_by(|a, b| a.2.total_cmp(&b.2)).unwrap();
    let candidates = sent(0.0, 40.0).into_iter().filter(|f| f.0 == first.0 && f.1 == first.1);
    let near = |start_s: &f64| (start_s - opened_s).abs();
    let starts_s = candidates.map(|frame| frame.2 - first.2);
    starts_s.min_by(|a, b| near(a).total_cmp(&near(b))).unwrap()
}

const SPEED: f64 = 4.0;

/// Lets something happen at 10 s and checks that it is noticed within two seconds by the clock, counted, told
/// once, and survived.
fn check_fault(fault: &str, duration_s: f64, kind: &str, text: &str, more: &str) {
    check_fault_within(2.0, fault, duration_s, kind, text, more);
}

/// The same with a time of its own: what may be late only is not judged at once.
fn check_fault_within(
    longest_s: f64,
    fault: &str,
    duration_s: f64,
    kind: &str,
    text: &str,
    more: &str,
) {
    let fault_s = 10.0;
    let air = Air::new(SPEED, &format!("faults={fault}@{fault_s}+{duration_s}{more}"));
    let mut listening = air.listen(&["--report", "complete"]);
    air.wait_for(&mut listening, fault_s + duration_s + 22.0);
    let counted = listening.metric(&format!("nap_faults_total{{kind=\"{kind}\"}}"));
    let lost = listening.metric("nap_lost_samples_total");
    let health = listening.get("/health");
    let drivers = children(listening.id());
    let status = listening.end("INT");
    let story = listening.story();
    assert!(status.success(), "{story}");
    let at = listening.when_said(text).unwrap_or_else(|| panic!("not told: {story}"));
    let noticed_s = (air.air_s(at) - fault_s) / SPEED;
    println!("{fault}: noticed after {noticed_s:.2} s");
    assert!((0.0..longest_s).contains(&noticed_s), "noticed after {noticed_s} s: {story}");
    assert!(listening.times_said("warning") <= 2, "{story}");
    assert!((1.0..100.0).contains(&counted), "{counted} of the kind {kind}: {story}");
    assert!(lost > 0.0, "{story}");
    assert_eq!(drivers.len(), 1, "what hangs is killed: {story}");
    assert!(health.contains("\"status\":\"receiving\""), "{health}");
    // What was sent before and after was received.
    let start_s = start_s(&listening, &air);
    assert!(check_frames(&listening, start_s + 0.1, fault_s - 0.1, start_s, 0.05) >= 4);
    let recovered = listening.said.iter().rfind(|(_, line)| line.contains("samples again"));
    let well_s =
        recovered.map_or_else(|| air.air_s(at).max(fault_s + duration_s), |(at, _)| air.air_s(*at));
    assert!(well_s < fault_s + duration_s + 3.0 * SPEED, "recovered at {well_s} s: {story}");
    let last_s = air.air_s(Instant::now()).min(fault_s + duration_s + 21.0);
    let (from_s, tolerance_s) = (well_s + AFTERMATH_S * SPEED, CLOCK_S * SPEED);
    assert!(check_frames(&listening, from_s, last_s, start_s, tolerance_s) >= 2);
}

#[test]
fn a_stall_is_noticed_and_ended() {
    check_fault("stall", 8.0, "stall", "no samples for 1.2 s; trying again", "");
}

#[test]
fn a_call_that_hangs_does_not_hang_the_program() {
    check_fault("hang", 4.0, "stall", "no samples for 1.2 s; trying again", "");
}

#[test]
fn overflows_are_counted_by_the_time_stamps() {
    check_fault("overflow", 1.0, "overflow", "has lost samples", "");
}

#[test]
fn overflows_are_counted_by_the_clock_without_time_stamps() {
    check_fault("overflow", 1.0, "overflow", "has lost samples", ",timestamps=0");
}

#[test]
fn samples_that_vanish_without_a_word_are_missed() {
    // Until it is noticed, times are short of what was lost. If that were more, the device's next message, which
    // is the same, would seem to come before the last one is over.
    check_fault_within(
        5.0,
        "drop",
        1.2,
        "gap",
        "are missing that the source said nothing about",
        ",timestamps=0",
    );
}

#[test]
fn a_radio_that_is_unplugged_is_opened_when_it_is_back() {
    check_fault("gone", 8.0, "read", "StreamError; trying again", "");
}

#[test]
fn a_wrong_rate_is_noticed() {
    check_fault_within(
        4.5,
        "rate",
        16.0,
        "rate",
        "off the 1000000 that the source says",
        ",timestamps=0",
    );
}

#[test]
fn an_error_code_ends_in_a_restart() {
    check_fault("error", 3.0, "read", "Corruption; trying again", "");
}

#[test]
fn the_same_value_for_ever_is_no_signal() {
    // It lasts until after the receiver has been opened again, which is no recovery.
    check_fault("stuck", 8.0, "stuck", "have the same value", "");
}

#[test]
fn a_driver_that_crashes_takes_nobody_along() {
    check_fault("crash", 0.5, "read", "process has ended: signal: 6", "");
}

#[test]
fn a_radio_that_is_missing_at_the_start_is_waited_for() {
    let air = Air::new(SPEED, "faults=gone@0+10");
    let mut listening = air.listen(&["--report", "complete"]);
    air.wait_for(&mut listening, 5.0);
    assert!(listening.get("/health").starts_with("HTTP/1.0 503"), "{}", listening.get("/health"));
    air.wait_for(&mut listening, 36.0);
    let opened = listening.metric("nap_faults_total{kind=\"open\"}");
    assert!(listening.end("TERM").success());
    let story = listening.story();
    assert_eq!(listening.times_said("the radio is unplugged"), 1, "{story}");
    assert!(opened > 2.0, "{opened}: {story}");
    let at = listening.when_said("samples again").unwrap();
    assert!(air.air_s(at) < 20.0, "{story}");
    let start_s = start_s(&listening, &air);
    assert!(check_frames(&listening, air.air_s(at) + SPEED, 35.0, start_s, 0.05) >= 4);
}

#[test]
fn what_the_radio_does_not_have_ends_at_once() {
    let air = Air::new(SPEED, "");
    for (flags, expected) in [
        (
            ["--sample-rate", "10M"],
            "it has no sample rate of 10000 kS/s; take one of 250, 1024, 2400",
        ),
        (["--center-frequency", "3G"], "it does not reach 3000.000000 MHz, only 24 to 1766"),
        (["--antenna", "none"], "there is no antenna \"none\", but RX, RX2"),
        (["--gain", "XYZ=3"], "there is no gain \"XYZ\", but LNA, VGA"),
        (["--radio-channel", "7"], "there is no channel 7 among 1"),
    ] {
        let mut listening = air.listen(&flags);
        assert_eq!(listening.wait().code(), Some(2), "{flags:?}: {}", listening.story());
        assert!(listening.story().contains(expected), "{}", listening.story());
        assert!(!listening.story().contains("trying again"), "{}", listening.story());
    }
}

#[test]
fn who_wants_to_quit_on_errors_does() {
    let air = Air::new(SPEED, "faults=error@8+1");
    let mut listening = air.listen(&["--on-error", "quit", "--report", "complete"]);
    listening.watch_until(Duration::from_secs(5), |l| l.when_said("giving up").is_some());
    assert_eq!(listening.wait().code(), Some(1), "{}", listening.story());
    // What was received until then is not lost.
    assert!(found(&listening).len() >= 4, "{}", listening.story());
}

/// Plays the recording once in real time and checks the messages, their latency and what they cost.
fn check_real_time(sample_rate: &str, max_cpu: f64) {
    let air = Air::new(1.0, "");
    let mut listening = air.listen(&["--sample-rate", sample_rate, "--report", "every"]);
    air.wait_for(&mut listening, 9.6);
    let cpu = cpu_s(listening.id()) / air.started.elapsed().as_secs_f64();
    let latency =
        listening.metric("nap_latency_seconds_sum") / listening.metric("nap_latency_seconds_count");
    assert!(listening.end("TERM").success());
    let decoded = nap()
        .arg("decode")
        .arg(recording("rc1_two_uplinks.sigmf-meta"))
        .args(["--format", "json"])
        .output()
        .unwrap();
    let expected = json_lines(&decoded.stdout);
    for message in &expected {
        let same = |other: &&(Instant, Value)| {
            ["device_id", "sequence_number", "payload", "kind", "bidirectional", "bit_rate"]
                .iter()
                .all(|&field| other.1[field] == message[field])
        };
        let reports: Vec<_> = listening.results.iter().filter(same).collect();
        assert_eq!(reports.len(), 3, "{}", listening.story());
        assert_eq!(reports[0].1["type"], "message");
        assert_eq!(reports[2].1["frames"].as_array().unwrap().len(), 3);
        for ((at, _), frame) in reports.iter().zip(message["frames"].as_array().unwrap()) {
            let payload = message["payload"].as_str().unwrap().len() / 2;
            assert!((9..=12).contains(&payload));
            let end_s = frame["time_s"].as_f64().unwrap() + 2.09;
            let late_s = air.air_s(*at) - end_s;
            println!("{sample_rate}: {} s after the end of the frame", late_s);
            assert!((-0.1..1.0).contains(&late_s), "reported {late_s} s after the end");
        }
    }
    println!("{sample_rate}: mean latency {latency:.3} s, {:.1} % of a core", 100.0 * cpu);
    assert!(cpu < max_cpu, "{} % of a core", 100.0 * cpu);
}

/// The processes that a process has started and that are still there.
fn children(id: u32) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let lists = threads
        .filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Processor time of a process and its children, in seconds.
fn cpu_s(id: u32) -> f64 {
    let own = |id: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
        // utime and stime, in hundredths of a second.
        (ticks(11) + ticks(12)) / 100.0
    };
    own(&id.to_string()) + children(id).iter().map(|child| own(child)).sum::<f64>()
}

#[test]
fn real_time_at_250_khz() {
    // Measured on an idle machine it is half of it; tests share theirs.
    check_real_time("250k", 0.10);
}

#[test]
fn real_time_at_2_4_mhz_beside_the_dc_spike() {
    check_real_time("2.4M", 0.60);
}

#[test]
fn the_metrics_are_what_prometheus_expects() {
    let air = Air::new(SPEED, "");
    let mut listening = air.listen(&[]);
    listening.watch_until(Duration::from_secs(5), |l| l.results.len() > 2);
    let answer = listening.get("/metrics");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("text/plain"), "{head}");
    let mut check = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`make live-tools` brings promtool, which make has in its PATH");
    std::io::Write::write_all(&mut check.stdin.take().unwrap(), body.as_bytes()).unwrap();
    let output = check.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.is_empty(), "{text}\n{body}");
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.starts_with("nap_"), "{line}");
    }
    assert!(listening.metric("nap_noise_floor_dbfs_per_hertz") < -100.0);
    assert_eq!(listening.metric("nap_messages_total"), 2.0);
}

#[test]
fn the_radio_is_set_as_asked() {
    let air = Air::new(1.0, "");
    let arguments = air.arguments();
    let run = |more: &[&str]| {
        let output = nap()
            .env("SOAPY_SDR_PLUGIN_PATH", &*MODULE)
            .args(["listen", "--radio", &arguments, "--duration", "0.1"])
            .args(["--radio-configuration", "RC1", "--on-error", "quit"])
            .args(more)
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let said = run(&["--gain", "LNA=12,VGA=30", "--antenna", "RX2"]);
    assert!(said.contains("antenna RX2, gain 42.0 dB, 1.024000 MS/s around 868.029000"), "{said}");
    let said = run(&["--gain", "33", "--sample-rate", "2M", "--ppm", "10"]);
    assert!(said.contains("gain 33.0 dB, 2.400024 MS/s around 868.029000"), "{said}");
    assert!(said.contains("2400000 samples a second instead of 2000000"), "{said}");
    let said = run(&["--gain", "auto"]);
    assert!(said.contains("dB, 1.024000 MS/s"), "{said}");
    let said = run(&["--antenna", "TX"]);
    assert!(said.contains("there is no antenna \"TX\", but RX, RX2"), "{said}");
    let said = run(&["--gain", "IF=3"]);
    assert!(said.contains("there is no gain \"IF\", but LNA, VGA"), "{said}");
    // A driver takes any setting, and says nothing of those that it does not have.
    let said = run(&["--setting", "notch=on", "--setting", "noch=on"]);
    assert!(said.contains("the setting noch=on, but reads nothing back"), "{said}");
    assert!(!said.contains("notch=on"), "{said}");
    let said = run(&["--bias-tee"]);
    assert!(said.contains("feeds an amplifier at the antenna is not known here"), "{said}");
}

#[test]
fn radios_are_listed_with_what_they_can_do() {
    let list = |environment: &str, more: &[&str]| {
        let mut command = nap();
        command.env("SOAPY_SDR_PLUGIN_PATH", &*MODULE).env("NAP_VIRTUAL_SDR", environment);
        command.args(["radios", "driver=napvirtual"]).args(more).output().unwrap()
    };
    let plugged_in = Air::new(1.0, "").arguments();
    let output = list(&plugged_in, &["--json"]);
    let radio = &json_lines(&output.stdout)[0];
    assert!(radio["arguments"].as_str().unwrap().contains("driver=napvirtual"));
    assert_eq!(radio["antennas"], serde_json::json!(["RX", "RX2"]));
    assert_eq!(radio["gains_db"][0], serde_json::json!(["LNA", { "low": 0.0, "high": 40.0 }]));
    assert_eq!(radio["sample_rates_hz"][2], serde_json::json!({ "low": 2.4e6, "high": 2.4e6 }));
    let text = String::from_utf8(list(&plugged_in, &[]).stdout).unwrap();
    assert!(text.contains("gains, dB           LNA 0 to 40, VGA 0 to 62"), "{text}");
    // Nothing is plugged in.
    let output = list("", &[]);
    assert_eq!(output.status.code(), Some(1));
}

/// Resident memory of a process, in megabytes.
fn memory_mb(id: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Faults of all kinds, twenty where there is room, at places that a seed chooses: kind, start and end
/// in the time of the air.
fn random_faults(total_s: f64) -> Vec<(&'static str, f64, f64)> {
    const KINDS: [&str; 9] =
        ["stall", "hang", "overflow", "drop", "rate", "error", "stuck", "gone", "crash"];
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(20);
    let count = (total_s / 150.0).clamp(1.0, 20.0).floor();
    let slot_s = total_s / count;
    (0..count as u32)
        .map(|number| {
            let start_s = slot_s * (f64::from(number) + rng.random_range(0.1..0.3));
            let duration_s = rng.random_range(1.0..12.0);
            (KINDS[number as usize % KINDS.len()], start_s, start_s + duration_s)
        })
        .collect()
}

/// Half a minute by default, with two faults; `make soak-live` takes longer.
#[test]
fn soak() {
    const SPEED: f64 = 10.0;
    /// Until all is well again after a fault, in seconds by the clock.
    const RECOVERY_S: f64 = 4.0;
    /// What the supervisor's queue can hold: 128 blocks of 20 ms, of 2.5 million samples a second.
    const QUEUE_MB: f64 = 128.0 * 0.02 * 2.5 * size_of::<num_complex::Complex32>() as f64;
    let minutes = std::env::var("NAP_SOAK_MINUTES").ok().and_then(|text| text.parse().ok());
    let total_s = 60.0 * SPEED * minutes.unwrap_or(0.5);
    let faults = random_faults(total_s);
    let schedule: Vec<String> = faults
        .iter()
        .map(|(kind, start_s, end_s)| format!("{kind}@{start_s:.2}+{:.2}", end_s - start_s))
        .collect();
    let air = Air::new(SPEED, &format!("faults={}", schedule.join(";")));
    let mut listening = air.listen(&["--report", "complete"]);
    let mut memory_mb_over = |from: f64, to: f64| {
        let places = (0..20).map(|n| from + (to - from) * f64::from(n) / 19.0);
        let mut sizes: Vec<f64> = places
            .map(|place| {
                air.wait_for(&mut listening, place * total_s);
                memory_mb(listening.id())
            })
            .collect();
        sizes.sort_by(f64::total_cmp);
        let (median, most) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
        (median, most)
    };
    // What leaks is there for good. Samples that wait while the receiver ends what a fault has cut are
    // there for a moment only, on a slow machine more of them.
    let (early_mb, early_most_mb) = memory_mb_over(0.1, 0.4);
    let (late_mb, late_most_mb) = memory_mb_over(0.6, 1.0);
    let restarts = listening.metric("nap_restarts_total");
    assert!(listening.end("INT").success(), "{}", listening.story());
    println!("{}", listening.story());
    println!("{restarts} restarts, {early_mb:.1} MB early, {late_mb:.1} MB late");
    println!("at most {early_most_mb:.1} MB early, {late_most_mb:.1} MB late");
    assert!(late_mb < early_mb + 5.0);
    assert!(late_most_mb < early_most_mb + QUEUE_MB);
    let start_s = start_s(&listening, &air);
    let mut well_s = start_s + 0.1;
    let mut frames = 0;
    for (_, fault_s, end_s) in &faults {
        frames += check_frames(&listening, well_s, *fault_s - 0.1, start_s, 2.0);
        well_s = end_s + RECOVERY_S * SPEED;
    }
    frames += check_frames(&listening, well_s, total_s - SPEED, start_s, 2.0);
    println!("all {frames} frames outside the faults");
    assert!(frames > 50);
}

/// A process that ends with the test.
struct Running(std::process::Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let name = silent.get_program().to_owned();
        Self(silent.spawn().unwrap_or_else(|error| panic!("{}: {error}", name.display())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn through_soapy_remote() {
    let air = Air::new(SPEED, "");
    let folder = tempfile::tempdir().unwrap();
    // The server looks for a daemon that tells the network its name, and ends without a bus to look on.
    let bus = format!("unix:path={}", folder.path().join("bus").display());
    let _bus = Running::start(
        Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile"])
            .arg(format!("--address={bus}")),
    );
    std::thread::sleep(Duration::from_millis(300));
    let port = 50_000 + std::process::id() % 10_000;
    let server = Running::start(
        Command::new("SoapySDRServer")
            .arg(format!("--bind=tcp://127.0.0.1:{port}"))
            .env("DBUS_SYSTEM_BUS_ADDRESS", &bus)
            .env("SOAPY_SDR_PLUGIN_PATH", &*MODULE)
            .env("NAP_VIRTUAL_SDR", air.arguments()),
    );
    let radio = format!("driver=remote,remote=tcp://127.0.0.1:{port},remote:driver=napvirtual");
    let speed = SPEED.to_string();
    let mut listening = Listening::start(&[
        "--radio",
        &radio,
        "--replay",
        &speed,
        "--sample-rate",
        "250k",
        "--radio-configuration",
        "RC1",
    ]);
    let heard = listening.watch_until(Duration::from_secs(15), |l| l.results.len() >= 6);
    assert!(heard, "{}", listening.story());
    // When the server is gone, that is noticed.
    drop(server);
    let gone = |l: &Listening| l.story().trim_end().ends_with("trying again until it works");
    assert!(listening.watch_until(Duration::from_secs(4), gone), "{}", listening.story());
    assert!(listening.end("INT").success());
}
