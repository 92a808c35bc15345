//! Whether a time service keeps the computer's clock.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

/// How often is asked.
const TICK: Duration = Duration::from_secs(60);
/// How often while the answer is no.
const TICK_WHILE_NOT: Duration = Duration::from_secs(10);
/// A station does not wait longer for the first answer.
const TIMEOUT: Duration = Duration::from_millis(500);
/// There once systemd's own time service has set the clock.
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";

/// Asks again and again, in a thread of its own, until it is dropped.
#[derive(Debug)]
pub struct Synchronization(Arc<AtomicBool>);

impl Synchronization {
    /// Asks for the first time, and goes on with it.
    #[must_use]
    pub fn watch() -> Self {
        let is_kept = Arc::new(AtomicBool::new(false));
        let weak = Arc::downgrade(&is_kept);
        let (first, answer) = sync_channel(1);
        thread::spawn(move || {
            store(&weak);
            // Who has lost patience has gone on.
            let _gone = first.send(());
            while let Some(is_kept) = store(&weak) {
                thread::sleep(if is_kept { TICK } else { TICK_WHILE_NOT });
            }
        });
        let _late = answer.recv_timeout(TIMEOUT);
        Self(is_kept)
    }

    /// What the last answer was.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Asks, and stores the answer; `None` if nobody wants to know any more.
fn store(weak: &Weak<AtomicBool>) -> Option<bool> {
    let is_kept = weak.strong_count() > 0 && is_synchronized();
    weak.upgrade()?.store(is_kept, Ordering::Relaxed);
    Some(is_kept)
}

/// Whether the kernel says that a time service keeps its clock, whichever it is: chrony, ntpd, systemd's. systemd asks
/// it for us; without systemd, nobody says so.
#[must_use]
pub fn is_synchronized() -> bool {
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property=NTPSynchronized", "--value"]);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    match command.output() {
        Ok(output) if output.status.success() => output.stdout.trim_ascii() == b"yes",
        _ => Path::new(SYNCHRONIZED).exists(),
    }
}
