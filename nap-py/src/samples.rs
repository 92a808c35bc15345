//! NumPy arrays as samples: complex64 as it is, everything else converted block by block.

use std::ops::Range;

use bytemuck::{NoUninit, cast_slice};
use nap_io::{SampleFormat, convert};
use num_complex::{Complex32, Complex64};
use numpy::{
    AsSliceError, Element, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyMemoryError, PyTypeError};
use pyo3::prelude::*;

use crate::error;

/// Samples that are worked on between two looks at Python's signals: a second at 250 kS/s.
pub const BLOCK: usize = 1 << 18;

const ACCEPTED: &str = "pass complex64 or complex128 of shape (n,), or int8, uint8, int16 or \
    uint16 of shape (n, 2) or interleaved I, Q, I, Q";

/// An array of samples, checked and kept alive.
pub enum Samples<'py> {
    Complex32(PyReadonlyArrayDyn<'py, Complex32>),
    Complex64(PyReadonlyArrayDyn<'py, Complex64>),
    Int8(PyReadonlyArrayDyn<'py, i8>),
    Uint8(PyReadonlyArrayDyn<'py, u8>),
    Int16(PyReadonlyArrayDyn<'py, i16>),
    Uint16(PyReadonlyArrayDyn<'py, u16>),
}

impl<'py> Samples<'py> {
    /// Checks an array.
    ///
    /// # Errors
    /// `TypeError` for anything but an array of an accepted type, `SampleError` for a wrong shape
    /// or layout.
    pub fn of(iq: &Bound<'py, PyAny>) -> PyResult<Self> {
        let Ok(array) = iq.cast::<PyUntypedArray>() else {
            return Err(PyTypeError::new_err(format!(
                "iq has to be a NumPy array, not {}; {ACCEPTED}",
                iq.get_type().name()?
            )));
        };
        let found = None
            .or_else(|| readonly(iq).map(Self::Complex32))
            .or_else(|| readonly(iq).map(Self::Complex64))
            .or_else(|| readonly(iq).map(Self::Int8))
            .or_else(|| readonly(iq).map(Self::Uint8))
            .or_else(|| readonly(iq).map(Self::Int16))
            .or_else(|| readonly(iq).map(Self::Uint16));
        let Some(samples) = found else { return Err(wrong_type(array)) };
        samples.check_shape(array.shape())?;
        if !array.is_c_contiguous() {
            return Err(not_contiguous());
        }
        Ok(samples)
    }

    fn is_complex(&self) -> bool {
        matches!(self, Self::Complex32(_) | Self::Complex64(_))
    }

    fn check_shape(&self, shape: &[usize]) -> PyResult<()> {
        match (self.is_complex(), shape) {
            (true, [_]) | (false, [_, 2]) => Ok(()),
            (false, [n]) if n % 2 == 0 => Ok(()),
            (false, [n]) => Err(error::samples(format!(
                "{n} integers are not pairs of I and Q; leave the last one out"
            ))),
            _ => Err(error::samples(format!(
                "iq has the shape {shape:?}; {ACCEPTED}, one channel at a time"
            ))),
        }
    }

    /// The samples themselves, usable without Python.
    ///
    /// # Errors
    /// `SampleError` if the array is not aligned in memory.
    pub fn view(&self) -> PyResult<View<'_>> {
        let little = cfg!(target_endian = "little");
        let view = match self {
            Self::Complex32(array) => array.as_slice().map(View::Samples),
            Self::Complex64(array) => {
                stored(array, if little { SampleFormat::Cf64Le } else { SampleFormat::Cf64Be })
            }
            Self::Int8(array) => stored(array, SampleFormat::Cs8),
            Self::Uint8(array) => stored(array, SampleFormat::Cu8),
            Self::Int16(array) => {
                stored(array, if little { SampleFormat::Cs16Le } else { SampleFormat::Cs16Be })
            }
            Self::Uint16(array) => {
                stored(array, if little { SampleFormat::Cu16Le } else { SampleFormat::Cu16Be })
            }
        };
        view.map_err(|_| not_contiguous())
    }
}

fn readonly<'py, T: Element>(iq: &Bound<'py, PyAny>) -> Option<PyReadonlyArrayDyn<'py, T>> {
    iq.cast::<PyArrayDyn<T>>().ok()?.try_readonly().ok()
}

fn stored<'a, T: Element + NoUninit>(
    array: &'a PyReadonlyArrayDyn<'_, T>,
    format: SampleFormat,
) -> Result<View<'a>, AsSliceError> {
    Ok(View::Stored(format, cast_slice(array.as_slice()?)))
}

fn wrong_type(array: &Bound<'_, PyUntypedArray>) -> PyErr {
    let advice = match array.dtype().to_string().as_str() {
        "float32" => "; interleaved I, Q of float32 is complex with iq.view(numpy.complex64)",
        text if text.starts_with('>') => "; iq.astype(iq.dtype.newbyteorder('=')) swaps the bytes",
        _ => "",
    };
    PyTypeError::new_err(format!("iq has the dtype {}; {ACCEPTED}{advice}", array.dtype()))
}

fn not_contiguous() -> PyErr {
    error::samples(
        "iq is not contiguous and aligned in memory; pass numpy.require(iq, requirements=['C', 'A'])",
    )
}

/// Samples in memory, as they are stored.
#[derive(Clone, Copy)]
pub enum View<'a> {
    Samples(&'a [Complex32]),
    Stored(SampleFormat, &'a [u8]),
}

impl View<'_> {
    /// How many samples there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Samples(samples) => samples.len(),
            Self::Stored(format, bytes) => bytes.len() / format.bytes_per_sample(),
        }
    }

    /// Some of the samples; `scratch` takes them in if they have to be converted.
    pub fn block<'a>(
        &'a self,
        range: Range<usize>,
        scratch: &'a mut Vec<Complex32>,
    ) -> &'a [Complex32] {
        match self {
            Self::Samples(samples) => &samples[range],
            Self::Stored(format, bytes) => {
                let size = format.bytes_per_sample();
                scratch.resize(range.len(), Complex32::ZERO);
                convert::decode(*format, &bytes[range.start * size..range.end * size], scratch);
                scratch
            }
        }
    }

    /// The ranges of blocks.
    pub fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let len = self.len();
        (0..len).step_by(BLOCK).map(move |start| start..len.min(start + BLOCK))
    }
}

/// Silence, to be filled.
///
/// # Errors
/// `MemoryError` if there is no room for so much.
pub fn silence(count: usize) -> PyResult<Vec<Complex32>> {
    let mut samples = Vec::new();
    samples.try_reserve_exact(count).map_err(|_| {
        PyMemoryError::new_err(format!("no room for {count} samples; ask for fewer at once"))
    })?;
    samples.resize(count, Complex32::ZERO);
    Ok(samples)
}

/// How many samples an array has.
#[pyfunction]
pub fn sample_count(iq: &Bound<'_, PyAny>) -> PyResult<usize> {
    Ok(Samples::of(iq)?.view()?.len())
}

/// Calls `take` with all samples, block by block and without the GIL, and looks at Python's signals
/// in between, so that Ctrl-C works.
///
/// # Errors
/// `KeyboardInterrupt`, or whatever a signal handler raises.
pub fn for_each_block(
    py: Python<'_>,
    samples: &Samples<'_>,
    mut take: impl FnMut(&[Complex32]) + Send,
) -> PyResult<()> {
    let view = samples.view()?;
    let mut scratch = Vec::new();
    for range in view.blocks() {
        py.detach(|| take(view.block(range, &mut scratch)));
        py.check_signals()?;
    }
    Ok(())
}
