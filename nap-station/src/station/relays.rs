//! The relays at work.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;

use crate::error::Error;
use crate::relay::outbox::{Outbox, Outcome};
use crate::relay::{FileOptions, Options};
use crate::station::outbox::LedgerOutbox;

/// The relays' thread, until it is told to stop.
#[derive(Debug)]
pub struct Relays {
    stopping: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Relays {
    /// Starts them.
    pub fn start(relays: Vec<(Options, Arc<LedgerOutbox>)>, folder: &Path) -> Self {
        let (stopping, _) = watch::channel(false);
        let threads = relays
            .into_iter()
            .map(|(options, outbox)| {
                let Options::File(options) = options;
                let (path, stop) = (folder.join(&options.path), stopping.subscribe());
                thread::spawn(move || drop(file(&options, path, &outbox, &stop)))
            })
            .collect();
        Self { stopping, threads }
    }

    /// Stops them, and waits for that.
    pub fn stop(self) {
        self.stopping.send_replace(true);
        for thread in self.threads {
            drop(thread.join());
        }
    }
}

fn file(
    _options: &FileOptions,
    path: PathBuf,
    outbox: &LedgerOutbox,
    stop: &watch::Receiver<bool>,
) -> Result<(), Error> {
    while !*stop.borrow() {
        let deliveries = outbox.take(0..=u64::MAX, 1000)?;
        if deliveries.is_empty() {
            thread::sleep(Duration::from_millis(10));
            continue;
        }
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(Error::io(&path, "open"))?;
        let text: String = deliveries.iter().map(|one| format!("{}\n", one.record)).collect();
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_data())
            .map_err(Error::io(&path, "write"))?;
        outbox.settle(deliveries.iter().map(|one| (one.ticket, Outcome::Delivered)).collect())?;
    }
    Ok(())
}
