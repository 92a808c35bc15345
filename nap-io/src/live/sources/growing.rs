//! Files that grow while they are read.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use num_complex::Complex32;

use crate::crystal::CrystalCorrected;
use crate::error::Error;
use crate::live::source::{LiveSource, Loss, Reading};
use crate::open::open_growing;
use crate::open_options::OpenOptions;
use crate::source::SampleSource;
use crate::stream_info::StreamInfo;

/// How often to look whether there is more.
const LOOK: Duration = Duration::from_millis(50);

/// A raw file that another program is writing: what is there is read at once, and then what comes. It has
/// no end.
pub struct Growing {
    source: Box<dyn SampleSource>,
}

impl Growing {
    /// Opens the file, which has to be there; its first byte may take `first_within`.
    ///
    /// # Errors
    /// Those of [`open`](crate::open), and [`Error::Unsupported`] for files that are no raw samples.
    pub fn open(
        path: &Path,
        options: &OpenOptions,
        ppm: f64,
        first_within: Duration,
    ) -> Result<Self, Error> {
        let file = GrowingFile::open(path)?;
        file.wait_for_the_first_byte(first_within).map_err(Error::io(path, "read"))?;
        let source = open_growing(path, Box::new(file), options)?;
        Ok(Self { source: Box::new(CrystalCorrected::new(source, ppm)) })
    }
}

impl LiveSource for Growing {
    fn info(&self) -> &StreamInfo {
        self.source.info()
    }

    fn read(
        &mut self,
        samples: &mut Vec<Complex32>,
        count: usize,
        _timeout: Duration,
    ) -> Result<Reading, Error> {
        samples.clear();
        samples.resize(count, Complex32::ZERO);
        let result = self.source.read(samples);
        samples.truncate(*result.as_ref().unwrap_or(&0));
        match result {
            Ok(0) => Ok(Reading::End),
            Ok(_) => Ok(Reading::Samples(Loss::None)),
            Err(error) if error.io_kind() == Some(ErrorKind::WouldBlock) => Ok(Reading::Nothing),
            Err(error) => Err(error),
        }
    }
}

/// A file whose end is where its writer is: reading there waits a moment, and fails with
/// [`ErrorKind::WouldBlock`] if nothing comes.
struct GrowingFile {
    path: PathBuf,
    file: File,
    read_bytes: u64,
}

impl GrowingFile {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let metadata = file.metadata().map_err(Error::io(path, "open"))?;
        if !metadata.is_file() {
            let advice = "pipes are followed as they are";
            return Err(Error::unsupported(path, "following what is no file", advice));
        }
        Ok(Self { path: path.into(), file, read_bytes: 0 })
    }

    fn wait_for_the_first_byte(&self, within: Duration) -> io::Result<()> {
        let deadline = Instant::now() + within;
        while self.file.metadata()?.len() == 0 {
            if Instant::now() > deadline {
                let text = format!("nothing was written within {} s", within.as_secs_f64());
                return Err(io::Error::other(text));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }
}

impl Read for GrowingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read(buffer)?;
        self.read_bytes += got as u64;
        if got > 0 || buffer.is_empty() {
            return Ok(got);
        }
        if self.file.metadata()?.len() < self.read_bytes {
            let name = self.path.display();
            return Err(io::Error::other(format!("{name} has become shorter: it was begun anew")));
        }
        thread::sleep(LOOK);
        Err(ErrorKind::WouldBlock.into())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;
    use crate::format::SampleFormat;

    const SECOND: Duration = Duration::from_secs(1);

    fn options() -> OpenOptions {
        OpenOptions {
            format: Some(SampleFormat::Cu8),
            sample_rate_hz: Some(250e3),
            ..OpenOptions::default()
        }
    }

    #[test]
    fn what_is_appended_is_read_without_a_torn_sample() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut file = File::create(&path).unwrap();
        let empty = Growing::open(&path, &options(), 0.0, Duration::ZERO).err().unwrap();
        assert!(empty.to_string().contains("nothing was written within 0 s"), "{empty}");
        // A sample and a half.
        file.write_all(&[255, 0, 255]).unwrap();
        let mut growing = Growing::open(&path, &options(), 4.0, SECOND).unwrap();
        assert_eq!(growing.info().total_samples, None);
        assert!((growing.info().sample_rate_hz - 250_001.0).abs() < 1e-6);
        let mut samples = Vec::new();
        let mut read = || {
            let reading = growing.read(&mut samples, 100, SECOND);
            (reading.map_err(|error| error.to_string()), samples.clone())
        };
        assert_eq!(read(), (Ok(Reading::Samples(Loss::None)), vec![Complex32::new(1.0, -1.0)]));
        assert_eq!(read(), (Ok(Reading::Nothing), vec![]));
        file.write_all(&[255]).unwrap();
        assert_eq!(read(), (Ok(Reading::Samples(Loss::None)), vec![Complex32::new(1.0, 1.0)]));
        fs::write(&path, [1]).unwrap();
        assert!(read().0.unwrap_err().contains("has become shorter"));
    }

    #[test]
    fn what_is_no_raw_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Growing::open(folder.path(), &options(), 0.0, SECOND).err().unwrap();
        assert!(error.to_string().contains("following what is no file"), "{error}");
        let path = folder.path().join("x.wav");
        fs::write(&path, [1]).unwrap();
        let error = Growing::open(&path, &options(), 0.0, SECOND).err().unwrap();
        assert!(error.to_string().contains("following a WAV file"), "{error}");
    }
}
