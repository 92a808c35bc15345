//! Files that grow while they are read.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use num_complex::Complex32;

use crate::crystal::CrystalCorrected;
use crate::error::Error;
use crate::live::source::{LiveSource, Loss, Reading};
use crate::live::sources::replay::check_one_center;
use crate::open::open_growing;
use crate::open_options::OpenOptions;
use crate::source::SampleSource;
use crate::stream_info::StreamInfo;

/// How often to look whether there is more.
const LOOK: Duration = Duration::from_millis(50);

/// A recording that another program is writing: what is there is read at once, and then what comes. It has
/// no end.
pub struct Growing {
    source: Box<dyn SampleSource>,
}

impl Growing {
    /// Opens the recording, which has to be there; its first bytes, up to the first sample, may take
    /// `first_within`.
    ///
    /// # Errors
    /// Those of [`open`](crate::open), and [`Error::Unsupported`] for what cannot be read before it is
    /// complete, and for a recording whose centre frequency changes.
    pub fn open(
        path: &Path,
        options: &OpenOptions,
        ppm: f64,
        first_within: Duration,
    ) -> Result<Self, Error> {
        let is_open = Arc::new(AtomicBool::new(false));
        let stream = |path: &Path| {
            let file = GrowingFile::open(path, first_within, Arc::clone(&is_open))?;
            Ok(Box::new(file) as Box<dyn Read + Send>)
        };
        let source = open_growing(path, options, stream)?;
        check_one_center(path, source.info())?;
        is_open.store(true, Ordering::Relaxed);
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

/// A file whose end is where its writer is. Until the recording is open, reading there waits for more; then it
/// waits a moment, and fails with [`ErrorKind::WouldBlock`] if nothing comes.
struct GrowingFile {
    path: PathBuf,
    file: File,
    read_bytes: u64,
    first_within: Duration,
    deadline: Instant,
    is_open: Arc<AtomicBool>,
}

impl GrowingFile {
    fn open(path: &Path, first_within: Duration, is_open: Arc<AtomicBool>) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let metadata = file.metadata().map_err(Error::io(path, "open"))?;
        if !metadata.is_file() {
            let advice = "pipes are followed as they are";
            return Err(Error::unsupported(path, "following what is no file", advice));
        }
        let deadline = Instant::now() + first_within;
        Ok(Self { path: path.into(), file, read_bytes: 0, first_within, deadline, is_open })
    }

    /// What it means that there is no more for the moment.
    fn at_the_end(&self) -> io::Result<()> {
        if self.file.metadata()?.len() < self.read_bytes {
            let name = self.path.display();
            return Err(io::Error::other(format!("{name} has become shorter: it was begun anew")));
        }
        thread::sleep(LOOK);
        if self.is_open.load(Ordering::Relaxed) {
            return Err(ErrorKind::WouldBlock.into());
        }
        if Instant::now() > self.deadline {
            let within_s = self.first_within.as_secs_f64();
            // Samples that are there already are no fewer for that.
            let (kind, what) = match self.read_bytes {
                0 => (ErrorKind::TimedOut, "nothing"),
                _ => (ErrorKind::WouldBlock, "nothing more"),
            };
            return Err(io::Error::new(kind, format!("{what} was written within {within_s} s")));
        }
        Ok(())
    }
}

impl Read for GrowingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let got = self.file.read(buffer)?;
            self.read_bytes += got as u64;
            if got > 0 || buffer.is_empty() {
                return Ok(got);
            }
            self.at_the_end()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;
    use crate::format::SampleFormat;

    const SECOND: Duration = Duration::from_secs(1);
    const MOMENT: Duration = Duration::from_millis(60);

    fn options() -> OpenOptions {
        OpenOptions {
            format: Some(SampleFormat::Cu8),
            sample_rate_hz: Some(250e3),
            ..OpenOptions::default()
        }
    }

    fn refusal(path: &Path) -> String {
        Growing::open(path, &options(), 0.0, MOMENT).err().unwrap().to_string()
    }

    /// The next samples, and how reading went.
    fn read(growing: &mut Growing) -> (Result<Reading, String>, Vec<Complex32>) {
        let mut samples = Vec::new();
        let reading = growing.read(&mut samples, 100, SECOND);
        (reading.map_err(|error| error.to_string()), samples)
    }

    fn some(samples: &[(f32, f32)]) -> (Result<Reading, String>, Vec<Complex32>) {
        let samples = samples.iter().map(|&(re, im)| Complex32::new(re, im)).collect();
        (Ok(Reading::Samples(Loss::None)), samples)
    }

    #[test]
    fn what_is_appended_is_read_without_a_torn_sample() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut file = File::create(&path).unwrap();
        let empty = refusal(&path);
        assert!(empty.contains("nothing was written within 0.06 s"), "{empty}");
        // A sample and a half.
        file.write_all(&[255, 0, 255]).unwrap();
        let mut growing = Growing::open(&path, &options(), 4.0, MOMENT).unwrap();
        assert_eq!(growing.info().total_samples, None);
        assert!((growing.info().sample_rate_hz - 250_001.0).abs() < 1e-6);
        assert_eq!(read(&mut growing), some(&[(1.0, -1.0)]));
        assert_eq!(read(&mut growing).0, Ok(Reading::Nothing));
        file.write_all(&[255]).unwrap();
        assert_eq!(read(&mut growing), some(&[(1.0, 1.0)]));
        fs::write(&path, [1]).unwrap();
        assert!(read(&mut growing).0.unwrap_err().contains("has become shorter"));
    }

    #[test]
    fn the_name_a_prefix_and_a_file_beside_tell_as_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("BBD_0001.C8");
        fs::write(&path, [127, 0]).unwrap();
        fs::write(path.with_extension("TXT"), "sample_rate=500000\ncenter_frequency=868130000\n")
            .unwrap();
        let options = OpenOptions { swap_iq: true, ..OpenOptions::default() };
        let mut growing = Growing::open(&path, &options, 0.0, MOMENT).unwrap();
        let info = growing.info();
        assert_eq!((info.sample_rate_hz, info.center_hz), (500e3, Some(868.13e6)));
        assert_eq!(info.notes.len(), 2, "{:?}", info.notes);
        assert_eq!(read(&mut growing), some(&[(0.0, 127.0 / 128.0)]));
        let prefixed = format!("250k:{}", path.display());
        let growing = Growing::open(prefixed.as_ref(), &options, 0.0, MOMENT).unwrap();
        assert_eq!(growing.info().sample_rate_hz, 250e3);
    }

    #[test]
    fn a_wav_file_grows_past_what_its_header_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x_868.13MHz.wav");
        let mut header = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0".to_vec();
        header.extend(250_000_u32.to_le_bytes());
        header.extend(1_000_000_u32.to_le_bytes());
        header.extend(b"\x04\0\x10\0data\x04\0\0\0");
        fs::write(&path, &header[..30]).unwrap();
        let half = refusal(&path);
        assert!(half.contains("nothing more was written within 0.06 s"), "{half}");
        fs::write(&path, &header).unwrap();
        let options = OpenOptions::default();
        let mut growing = Growing::open(&path, &options, 0.0, MOMENT).unwrap();
        assert_eq!(growing.info().center_hz, Some(868.13e6));
        assert_eq!(read(&mut growing).0, Ok(Reading::Nothing));
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(&[0, 0x40, 0, 0xc0, 0, 0x20, 0, 0, 1]).unwrap();
        assert_eq!(read(&mut growing), some(&[(0.5, -0.5), (0.25, 0.0)]));
        assert_eq!(read(&mut growing).0, Ok(Reading::Nothing));
    }

    #[test]
    fn the_data_of_a_sigmf_recording_grows() {
        let folder = tempfile::tempdir().unwrap();
        let meta = folder.path().join("x.sigmf-meta");
        let text = |center: &str| {
            format!(
                r#"{{"global": {{"core:datatype": "cu8", "core:sample_rate": 250000,
                "core:version": "1.2.0"}}, "captures": [{{"core:sample_start": 0,
                "core:frequency": 868130000, "core:header_bytes": 2}}{center}]}}"#
            )
        };
        fs::write(&meta, text("")).unwrap();
        let data = folder.path().join("x.sigmf-data");
        fs::write(&data, [9, 9, 255]).unwrap();
        let mut growing = Growing::open(&data, &OpenOptions::default(), 0.0, MOMENT).unwrap();
        assert_eq!(growing.info().center_hz, Some(868.13e6));
        assert_eq!(read(&mut growing).0, Ok(Reading::Nothing));
        File::options().append(true).open(&data).unwrap().write_all(&[0]).unwrap();
        assert_eq!(read(&mut growing), some(&[(1.0, -1.0)]));
        let elsewhere = r#", {"core:sample_start": 1, "core:frequency": 433920000}"#;
        fs::write(&meta, text(elsewhere)).unwrap();
        assert!(refusal(&meta).contains("whose centre frequency changes"), "{}", refusal(&meta));
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let folder_refused = refusal(folder.path());
        assert!(folder_refused.contains("following what is no file"), "{folder_refused}");
        let path = folder.path().join("x.cu8.gz");
        fs::write(&path, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]).unwrap();
        assert!(refusal(&path).contains("following what is compressed"), "{}", refusal(&path));
        let page = folder.path().join("x.cu8");
        fs::write(&page, "<!DOCTYPE html>").unwrap();
        assert!(refusal(&page).contains("a web page"), "{}", refusal(&page));
    }
}
