//! Reading a WAV file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::extent::{Extent, in_file, is_placeholder};
use super::header::Header;
use super::pipe_body::PipeBody;
use super::trailer::Trailer;
use crate::error::Error;
use crate::file_name::told::FileName;
use crate::input::Input;
use crate::open_options::{OpenOptions, doubt_rate};
use crate::sample_reader::SampleReader;
use crate::source::SampleSource;
use crate::stream_info::StreamInfo;

/// Opens a WAV file; what its header does not tell, its name may.
pub(crate) fn open(
    path: &Path,
    name: &str,
    input: Input,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let (info, extent, input) = match input {
        Input::File { file, left, .. } => from_file(path, name, file, left, options)?,
        Input::Pipe(pipe) => from_pipe(path, name, pipe, options)?,
    };
    let frame_bytes = info.format.bytes_per_sample() as u64;
    let reader = SampleReader::new(path.into(), info, input)?;
    Ok(Box::new(match extent.declared_bytes {
        Some(bytes) => reader.declare(bytes / frame_bytes),
        None => reader,
    }))
}

/// Opens a WAV file that another program is writing: what its header says of its length does not count.
pub(crate) fn open_growing(
    path: &Path,
    name: &str,
    stream: Box<dyn Read + Send>,
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let mut stream = BufReader::new(stream);
    let header = Header::read_given(&mut stream, path, options.format)?;
    let info = stream_info(path, name, &header, options)?;
    Ok(Box::new(SampleReader::new(path.into(), info, Input::Pipe(Box::new(stream)))?))
}

type Opened = (StreamInfo, Extent, Input);

fn from_file(
    path: &Path,
    name: &str,
    file: File,
    file_bytes: u64,
    options: &OpenOptions,
) -> Result<Opened, Error> {
    let mut file = BufReader::new(file);
    let mut header = Header::read_given(&mut file, path, options.format)?;
    let format = options.format.unwrap_or(header.format);
    let mut extent =
        in_file(&header, format, &mut file, file_bytes).map_err(Error::io(path, "read"))?;
    let end = header.data_offset + extent.bytes;
    let trailer = Trailer::read(&mut file, end, file_bytes).map_err(Error::io(path, "read"))?;
    header.center_hz = header.center_hz.or(trailer.tuning.center_hz);
    header.start = header.start.or(trailer.tuning.start);
    let mut info = stream_info(path, name, &header, options)?;
    info.warnings.extend(extent.warning.take());
    info.warnings.extend(trailer.warning());
    let input = Input::region(file.into_inner(), header.data_offset, extent.bytes);
    Ok((info, extent, input.map_err(Error::io(path, "seek in"))?))
}

fn from_pipe(
    path: &Path,
    name: &str,
    pipe: Box<dyn Read + Send>,
    options: &OpenOptions,
) -> Result<Opened, Error> {
    let mut pipe = BufReader::new(pipe);
    let header = Header::read_given(&mut pipe, path, options.format)?;
    let info = stream_info(path, name, &header, options)?;
    // Programs that write into a pipe cannot know how much will follow.
    let described = header.data_bytes.filter(|&bytes| bytes > 0 && !is_placeholder(bytes));
    let Some(described) = described else {
        return Ok((info, Extent::default(), Input::Pipe(Box::new(pipe))));
    };
    let extent = Extent { declared_bytes: Some(described), ..Extent::default() };
    Ok((info, extent, Input::Pipe(Box::new(PipeBody::new(pipe, described)))))
}

fn stream_info(
    path: &Path,
    file_name: &str,
    header: &Header,
    options: &OpenOptions,
) -> Result<StreamInfo, Error> {
    let mut info = StreamInfo::new(header.sample_rate_hz.into(), header.format);
    let told = FileName { center_hz: header.center_hz, start: header.start, ..FileName::default() };
    let name = FileName::parse(file_name);
    let by_name = FileName { center_hz: name.center_hz, start: name.start, ..FileName::default() };
    info.notes.extend(by_name.without(told).taken_from("the name"));
    info.center_hz = told.or(by_name).center_hz;
    info.start = told.or(by_name).start;
    doubt_rate(file_name, &mut info, options);
    options.apply(path, info)
}
