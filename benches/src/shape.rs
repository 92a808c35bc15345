//! Pulse shapes as arguments.

use nap_phy::scene::Shape;

/// Understands the names that scenes use.
///
/// # Errors
/// Lists the names.
pub fn parse_shape(name: &str) -> Result<Shape, String> {
    match name {
        "rect" => Ok(Shape::Rect),
        "hann" => Ok(Shape::Hann),
        "s2lp" => Ok(Shape::S2lp),
        _ => Err("the shapes are rect, hann and s2lp".to_owned()),
    }
}

/// The name in words.
#[must_use]
pub fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Rect => "rect",
        Shape::Hann => "hann",
        Shape::S2lp => "s2lp",
    }
}
