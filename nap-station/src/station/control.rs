//! How operators reach a station that runs: a socket in its state folder, which nobody else can enter.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::Error;
use crate::station::keeper::Command;
use crate::station::order::{Done, Order};

const FILE: &str = "control";
/// No order is longer, in bytes.
const LONGEST: u64 = 65_536;
/// Who asks says so at once.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A disk that is slow may take so long to have an order on it.
const DISK_TIMEOUT: Duration = Duration::from_secs(20);

/// Takes orders, one after the other, until it is stopped.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Control {
    /// Listens in a state folder that this process has locked.
    ///
    /// # Errors
    /// [`Error::Io`] if the socket cannot be made.
    pub fn listen(state: &Path, commands: SyncSender<Command>) -> Result<Self, Error> {
        let path = state.join(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::io(&path, "remove")(error));
            }
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(Error::io(&path, "listen at"))?;
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&path, private).map_err(Error::io(&path, "set the mode of"))?;
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ends.load(Ordering::Relaxed) {
                    break;
                }
                // Who does not wait for the answer does not get it.
                drop(serve(stream, &commands));
            }
        });
        Ok(Self { path, is_over, thread })
    }

    /// Takes no more orders.
    pub fn stop(self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread. Where that fails nobody listens any more.
        let woken = UnixStream::connect(&self.path).is_ok();
        drop(fs::remove_file(&self.path));
        if woken {
            // A panic in the thread has been reported.
            drop(self.thread.join());
        }
    }
}

fn serve(stream: UnixStream, commands: &SyncSender<Command>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut line = String::new();
    BufReader::new((&stream).take(LONGEST)).read_line(&mut line)?;
    let done = match serde_json::from_str(&line) {
        Ok(order) => hand_on(order, commands),
        Err(error) => Err(format!("no order: {error}")),
    };
    writeln!(&stream, "{}", serde_json::json!(done))
}

fn hand_on(order: Order, commands: &SyncSender<Command>) -> Done {
    let (reply, answer) = sync_channel(1);
    let stops = || "the station stops".to_owned();
    commands.send(Command::Order(order, reply)).map_err(|_| stops())?;
    answer.recv_timeout(DISK_TIMEOUT).unwrap_or_else(|_| Err("the disk does not answer".into()))
}

/// Tells a station that runs what to do.
///
/// # Errors
/// [`Error::Io`] if it cannot be asked, [`Error::Order`] if nothing came of it.
pub fn tell(state: &Path, order: &Order) -> Result<u64, Error> {
    let path = state.join(FILE);
    let ask = || -> std::io::Result<String> {
        let stream = UnixStream::connect(&path)?;
        stream.set_read_timeout(Some(TIMEOUT + DISK_TIMEOUT))?;
        writeln!(&stream, "{}", serde_json::json!(order))?;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        Ok(line)
    };
    let line = ask().map_err(Error::io(&path, "ask the station at"))?;
    let done: Done = serde_json::from_str(&line)
        .map_err(|error| Error::Order { problem: format!("the station's answer: {error}") })?;
    done.map_err(|problem| Error::Order { problem })
}
