//! How devices turn the phase.

use nap_dsp::modulator::PulseShape;
use serde::{Deserialize, Serialize};

/// How a device turns the phase, named as in a scene's truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// At once.
    #[default]
    Rect,
    /// Smoothed with a Hann pulse.
    Hann,
    /// As ST's S2-LP does.
    S2lp,
}

impl From<Shape> for PulseShape {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Rect => Self::Rectangular,
            Shape::Hann => Self::SMOOTHED,
            Shape::S2lp => Self::StPolar,
        }
    }
}
