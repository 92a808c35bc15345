//! A real broker.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Keeps what subscribers have to get over a restart, as a broker in the field does.
pub const PERSISTENT: &str =
    "allow_anonymous true\npersistence true\npersistence_location ./\nmax_queued_messages 0\n";

/// A port of this machine that nobody listens at.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether somebody listens at a port of this machine.
#[must_use]
pub fn is_there(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Mosquitto on a free port of this machine.
#[derive(Debug)]
pub struct Broker {
    folder: TempDir,
    pub port: u16,
    child: Child,
}

impl Broker {
    #[must_use]
    pub fn start() -> Self {
        Self::with("allow_anonymous true\n", |_| {})
    }

    /// A broker with further lines of its configuration, in a folder in which something was prepared.
    #[must_use]
    pub fn with(conf: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let port = free_port();
        // Root's broker would become a user that is not there.
        let conf = format!("user root\nlistener {port} 127.0.0.1\n{conf}");
        fs::write(folder.path().join("test.conf"), conf).unwrap();
        let child = Self::run(folder.path(), port);
        Self { folder, port, child }
    }

    fn run(folder: &Path, port: u16) -> Child {
        let mut child = Command::new("mosquitto");
        child.args(["-c", "test.conf"]).current_dir(folder);
        let child = child.stderr(Stdio::null()).spawn().unwrap();
        let has_started = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            is_there(port)
        });
        assert!(has_started, "mosquitto does not start");
        child
    }

    /// Ends it, with what it would have to write unwritten.
    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits for that.
    pub fn stop(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap();
    }

    /// Starts it again, on the same port.
    pub fn start_again(&mut self) {
        self.child = Self::run(self.folder.path(), self.port);
    }

    pub fn restart(&mut self) {
        self.end();
        self.start_again();
    }

    /// Whether it could be published.
    pub fn publish(&self, topic: &str, payload: &str, more: &[&str]) -> bool {
        let port = self.port.to_string();
        let mut publish = Command::new("mosquitto_pub");
        publish.args(["-p", &port, "-q", "1", "-t", topic, "-m", payload]);
        publish.args(more).stderr(Stdio::null()).status().unwrap().success()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.end();
    }
}
