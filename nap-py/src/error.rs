//! Errors of the crates as Python exceptions. The classes are Python's own, in `_errors.py`.

use nap_phy::receiver::channel_choice::ChannelError;
use nap_phy::scene::SceneError;
use pyo3::PyErr;

/// The exception classes of the package.
mod class {
    use pyo3::import_exception;

    import_exception!(nap_sdr._errors, ClosedError);
    import_exception!(nap_sdr._errors, ConfigurationError);
    import_exception!(nap_sdr._errors, FrameError);
    import_exception!(nap_sdr._errors, RecordingError);
    import_exception!(nap_sdr._errors, SampleError);
    import_exception!(nap_sdr._errors, TruncatedRecordingError);
}

/// A setting that cannot be.
pub fn configuration(message: impl ToString) -> PyErr {
    class::ConfigurationError::new_err(message.to_string())
}

/// Samples that cannot be used.
pub fn samples(message: impl ToString) -> PyErr {
    class::SampleError::new_err(message.to_string())
}

/// Something was used after its end.
pub fn closed(what: &str) -> PyErr {
    class::ClosedError::new_err(format!("the {what} is closed; make a new one"))
}

/// An error of the protocol.
pub fn phy(error: nap_phy::Error) -> PyErr {
    match error {
        nap_phy::Error::Frame(error) => frame(error),
        error => configuration(error),
    }
}

/// A band that does not have the channels asked for.
pub fn channel(error: ChannelError) -> PyErr {
    match error {
        ChannelError::Band(error) => phy(error),
        ChannelError::UnknownCenter => configuration(
            "without center_hz the channel cannot be found; give center_hz, the frequency of the \
             samples' 0 Hz",
        ),
        ChannelError::NoneInBand { .. } => configuration(format!(
            "{error}; correct center_hz, or say where to listen with channel_center_hz"
        )),
        _ => configuration(error),
    }
}

/// Bits that are not a frame.
pub fn frame(error: nap_phy::FrameError) -> PyErr {
    class::FrameError::new_err(error.to_string())
}

/// An error of the signal processing.
pub fn dsp(error: nap_dsp::Error) -> PyErr {
    configuration(error)
}

/// A scene that cannot be.
pub fn scene(error: SceneError) -> PyErr {
    configuration(error)
}

/// An error of a recording.
pub fn recording(error: nap_io::Error) -> PyErr {
    let message = error.to_string();
    match error {
        nap_io::Error::Truncated { .. } => class::TruncatedRecordingError::new_err(message),
        // Python's own class for the reason, such as FileNotFoundError.
        nap_io::Error::Io { source, .. } => std::io::Error::new(source.kind(), message).into(),
        _ => class::RecordingError::new_err(message),
    }
}
