//! Running `nap listen` and looking at it while it runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The devices of `rc1_two_uplinks`.
const DEVICES: [&str; 2] = ["258E05CA", "38DFD2F3"];

/// Whether a message of each device of `rc1_two_uplinks` was reported.
pub fn has_all(listening: &Listening) -> bool {
    let heard =
        |id: &&str| listening.results.iter().any(|(_, message)| message["device_id"] == *id);
    DEVICES.iter().all(heard)
}

/// A run of `nap listen`.
pub struct Listening {
    child: Child,
    stdout: Receiver<(Instant, String)>,
    stderr: Receiver<(Instant, String)>,
    /// All that was said on standard error so far.
    pub said: Vec<(Instant, String)>,
    /// All results so far.
    pub results: Vec<(Instant, Value)>,
}

impl Listening {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, |_| {})
    }

    pub fn start_with(arguments: &[&str], set: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nap"));
        command.arg("listen").args(arguments).args(["--format", "json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        set(&mut command);
        let mut child = command.spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self { child, stdout, stderr, said: Vec::new(), results: Vec::new() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Collects what was said for a while.
    pub fn watch(&mut self, duration: Duration) {
        self.watch_until(duration, |_| false);
    }

    /// Collects what was said until `enough`; returns whether that was within `limit`.
    pub fn watch_until(&mut self, limit: Duration, enough: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            self.collect();
            if enough(self) {
                return true;
            }
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// When a line with this text was said first.
    pub fn when_said(&self, text: &str) -> Option<Instant> {
        self.said.iter().find(|(_, line)| line.contains(text)).map(|(at, _)| *at)
    }

    /// How many lines with this text were said.
    pub fn times_said(&self, text: &str) -> usize {
        self.said.iter().filter(|(_, line)| line.contains(text)).count()
    }

    /// The answer to a request, head and body.
    pub fn get(&self, path: &str) -> String {
        let line = self.said.iter().find(|(_, line)| line.contains("http://"));
        let (_, line) = line.unwrap_or_else(|| panic!("no address: {}", self.story()));
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The value of a metric; `name` with its labels.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics");
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name}")).rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Sends a signal and waits for the end.
    pub fn end(&mut self, signal: &str) -> ExitStatus {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.wait()
    }

    /// Waits for the end: what was received is decoded first, which takes a busy machine a while.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(30);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(10));
        };
        // What is in the pipes still.
        self.watch(Duration::from_millis(50));
        status
    }

    /// Everything said, for messages of failed assertions.
    pub fn story(&self) -> String {
        self.said.iter().map(|(_, line)| format!("{line}\n")).collect()
    }

    fn collect(&mut self) {
        self.said.extend(self.stderr.try_iter());
        let results = self.stdout.try_iter();
        self.results.extend(results.map(|(at, line)| (at, serde_json::from_str(&line).unwrap())));
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<(Instant, String)> {
    let (to, from) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if to.send((Instant::now(), line)).is_err() {
                break;
            }
        }
    });
    from
}
