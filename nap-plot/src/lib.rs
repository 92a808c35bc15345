//! The pictures of nap.
//!
//! [`waterfall`] draws a spectrogram with axes, a colour scale and marked bursts; [`loss_chart`] draws
//! curves of lost messages on a logarithmic axis, [`line_chart`] lines over linear ones. All come as PNG files, with fonts of the crate's
//! own: none need to be installed.
//!
//! ```
//! use nap_plot::loss_chart::{Chart, Curve, Panel, Point};
//!
//! let curve = Curve {
//!     label: "measured".to_owned(),
//!     color: "#1f77b4",
//!     dashes: "",
//!     is_measured: true,
//!     points: vec![Point::counted(4.0, 57, 500), Point::counted(6.0, 3, 500)],
//! };
//! let panel = Panel {
//!     title: "One frame".to_owned(),
//!     x_title: "Eb/N0 (dB)".to_owned(),
//!     x: (0.0, 8.0),
//!     x_step: 2.0,
//!     curves: vec![curve],
//! };
//! let chart = Chart { title: "Loss".to_owned(), subtitle: String::new(), panels: vec![panel] };
//! assert!(chart.png()?.starts_with(b"\x89PNG"));
//! # Ok::<(), nap_plot::Error>(())
//! ```

mod axis;
mod color_scale;
mod error;
mod labels;
pub mod line_chart;
pub mod loss_chart;
mod png;
pub mod rectangle;
mod svg;
pub mod waterfall;

pub use error::Error;
