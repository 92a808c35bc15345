//! The one error type of the crate.

/// What can go wrong with a picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no memory for so many pixels.
    #[error("a picture of {width} × {height} pixels is too large; make it smaller")]
    TooLarge {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
    },

    /// A drawing cannot be understood, which is a mistake in this crate.
    #[error("the drawing cannot be understood: {0}")]
    Drawing(String),

    /// The picture cannot be encoded.
    #[error("the picture cannot be encoded: {0}")]
    Encoding(#[from] png::EncodingError),
}
