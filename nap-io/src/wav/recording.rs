//! Reading a WAV file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::header::Header;
use crate::error::Error;
use crate::file_name::{FileName, file_name};
use crate::input::Input;
use crate::open_options::OpenOptions;
use crate::sample_reader::SampleReader;
use crate::source::SampleSource;
use crate::stream_info::{StreamInfo, check_sample_rate};

/// Opens a WAV file.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Box<dyn SampleSource>, Error> {
    let file = File::open(path).map_err(Error::io(path, "open"))?;
    let metadata = file.metadata().map_err(Error::io(path, "open"))?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(Error::unsupported(
            path,
            "WAV from a pipe",
            "pipe raw samples or write a file first",
        ));
    }
    let file_bytes = metadata.len();
    let mut reader = BufReader::new(file);
    let header = Header::read(&mut reader, path)?;
    let available = file_bytes.saturating_sub(header.data_offset);
    let bytes = header.data_bytes.map_or(available, |described| described.min(available));
    let input = Input::region(reader.into_inner(), header.data_offset, bytes)
        .map_err(Error::io(path, "seek in"))?;
    let info = options.apply(path, stream_info(path, &header)?)?;
    let reader = SampleReader::new(path.into(), info, input)?;
    Ok(Box::new(match header.data_bytes {
        Some(bytes) => reader.promise(bytes / header.format.bytes_per_sample() as u64),
        None => reader,
    }))
}

fn stream_info(path: &Path, header: &Header) -> Result<StreamInfo, Error> {
    let rate_hz = check_sample_rate(path, header.sample_rate_hz.into())?;
    let mut info = StreamInfo::new(rate_hz, header.format);
    // An `auxi` chunk can only hold frequencies up to 4.29 GHz, and 0 stands for unknown.
    let told = FileName {
        center_hz: header.center_hz.filter(|&center_hz| center_hz > 0.0),
        start: header.start,
        ..FileName::default()
    };
    let name = FileName::parse(&file_name(path));
    let by_name = FileName { center_hz: name.center_hz, start: name.start, ..FileName::default() };
    info.notes.extend(by_name.without(told).taken_from("the name"));
    info.center_hz = told.or(by_name).center_hz;
    info.start = told.or(by_name).start;
    if header.data_bytes.is_none() {
        info.warnings.push(
            "the header does not tell how many samples there are; reading to the end of the file"
                .into(),
        );
    }
    Ok(info)
}
