//! Long work, while Python's signals are looked for.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// From one look at Python's signals to the next.
const INTERVAL: Duration = Duration::from_millis(50);

/// Work that others wait for.
#[derive(Default)]
pub struct Work {
    /// How many samples have been decoded.
    samples: AtomicU64,
    ended: AtomicBool,
    /// Whether it is to end early.
    pub stop: AtomicBool,
}

impl Work {
    /// Counts samples that have been decoded.
    pub fn add(&self, samples: u64) {
        self.samples.fetch_add(samples, Ordering::Relaxed);
    }

    /// Runs it on a thread of its own, while this one looks for interrupts, which stop it, and calls `progress`
    /// with the number of samples since the last call.
    pub fn run<T: Send>(
        &self,
        py: Python<'_>,
        progress: Option<&Bound<'_, PyAny>>,
        work: impl FnOnce() -> T + Send,
    ) -> PyResult<T> {
        let watcher = thread::current();
        thread::scope(|scope| {
            let worker = scope.spawn(move || {
                let result = work();
                self.ended.store(true, Ordering::Relaxed);
                watcher.unpark();
                result
            });
            let watched = self.watch(py, progress);
            self.stop.store(watched.is_err(), Ordering::Relaxed);
            let result = py.detach(|| worker.join());
            let panicked = |_| PyRuntimeError::new_err("a thread has panicked");
            watched.and_then(|()| result.map_err(panicked))
        })
    }

    /// Waits for the end; tells meanwhile how far the work is, and looks for an interrupt.
    fn watch(&self, py: Python<'_>, progress: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let mut told = 0;
        loop {
            let ended = self.ended.load(Ordering::Relaxed);
            let samples = self.samples.load(Ordering::Relaxed);
            if let Some(progress) = progress.filter(|_| samples > told) {
                progress.call1((samples - told,))?;
                told = samples;
            }
            if ended {
                return Ok(());
            }
            py.detach(|| thread::park_timeout(INTERVAL));
            py.check_signals()?;
        }
    }
}
