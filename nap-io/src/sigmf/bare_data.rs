//! The samples of a recording whose metadata is missing or cannot be read, for who knows what they are.

use std::path::Path;

use super::names::data_path;
use crate::error::Error;
use crate::input::Input;
use crate::open_options::OpenOptions;
use crate::sample_reader::SampleReader;
use crate::source::SampleSource;
use crate::stream_info::StreamInfo;

/// Opens the data file of the recording that `path` means with what was given, where `error` says that
/// nothing else tells what is in it; gives the error back for anything else.
pub(crate) fn open_given(
    path: &Path,
    options: &OpenOptions,
    error: Error,
) -> Result<Box<dyn SampleSource>, Error> {
    let data_path = data_path(path);
    let is_untold = matches!(error, Error::MissingPart { .. } | Error::Malformed { .. });
    let (Some(format), Some(rate_hz)) = (options.format, options.sample_rate_hz) else {
        return Err(error);
    };
    if !is_untold || !data_path.is_file() {
        return Err(error);
    }
    let mut info = options.apply(&data_path, StreamInfo::new(rate_hz, format))?;
    info.warnings.push(format!("{}; reading the samples as given", error.nameless()));
    let input = Input::open(&data_path)?;
    Ok(Box::new(SampleReader::new(data_path, info, input)?))
}
