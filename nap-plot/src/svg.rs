//! The one writer of SVG: lines, shapes and text.

use std::fmt::{Arguments, Write};

use crate::rectangle::Rectangle;

/// Width of a character of the fixed-width font in ems (1233 of 2048 units).
const FIXED_WIDTH_EM: f64 = 0.602;

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextStyle {
    /// Size of the font in pixels.
    pub(crate) size: f64,
    /// Whether it is bold.
    pub(crate) is_bold: bool,
    /// `start`, `middle` or `end`: what of the text is at the point given.
    pub(crate) anchor: &'static str,
    /// Degrees clockwise.
    pub(crate) rotation: f64,
}

impl TextStyle {
    /// A style of black text that is read from left to right.
    pub(crate) const fn new(size: f64, anchor: &'static str) -> Self {
        Self { size, is_bold: false, anchor, rotation: 0.0 }
    }
}

/// A drawing of the size of a picture.
#[derive(Debug)]
pub(crate) struct Svg {
    body: String,
    /// Digits after the point of coordinates.
    decimals: usize,
}

impl Svg {
    /// An empty drawing whose coordinates have so many digits after the point.
    pub(crate) fn new(width: u32, height: u32, decimals: usize) -> Self {
        let body = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="DejaVu Sans">"#
        );
        Self { body, decimals }
    }

    /// Adds a thin line.
    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), color: &str) {
        let (from, to) = (self.point(from, ' '), self.point(to, ' '));
        self.add(format_args!(r#"<path d="M{from}L{to}" stroke="{color}"/>"#));
    }

    /// Adds a line from point to point; `attributes` tell its stroke.
    pub(crate) fn polyline(&mut self, points: &[(f64, f64)], attributes: &str) {
        let points: Vec<String> = points.iter().map(|&point| self.point(point, ',')).collect();
        let points = points.join(" ");
        self.add(format_args!(r#"<polyline points="{points}" fill="none" {attributes}/>"#));
    }

    /// Adds a rectangle's outline; `attributes` tell its stroke.
    pub(crate) fn outline(&mut self, rectangle: &Rectangle, attributes: &str) {
        let corners = self.corners(rectangle);
        self.add(format_args!(r#"<rect {corners} fill="none" {attributes}/>"#));
    }

    /// Adds a circle; `attributes` tell its stroke and how it is filled.
    pub(crate) fn circle(&mut self, (x, y): (f64, f64), radius: f64, attributes: &str) {
        let decimals = self.decimals;
        self.add(format_args!(
            r#"<circle cx="{x:.decimals$}" cy="{y:.decimals$}" r="{radius}" {attributes}/>"#
        ));
    }

    /// Adds what `draw` adds, but only what of it is inside a rectangle. `name` is that of this one.
    pub(crate) fn clipped(
        &mut self,
        name: &str,
        rectangle: &Rectangle,
        draw: impl FnOnce(&mut Self),
    ) {
        let corners = self.corners(rectangle);
        self.add(format_args!(
            r#"<clipPath id="{name}"><rect {corners}/></clipPath><g clip-path="url(#{name})">"#
        ));
        draw(self);
        self.add(format_args!("</g>"));
    }

    /// Adds black text whose anchor on the base line is at a point.
    pub(crate) fn text(&mut self, point: (f64, f64), style: TextStyle, text: &str) {
        let weight = if style.is_bold { "bold" } else { "normal" };
        let place = self.point(point, ' ');
        self.add(format_args!(
            r#"<text transform="translate({place}) rotate({})" font-size="{}" font-weight="{weight}" text-anchor="{}">{}</text>"#,
            style.rotation,
            style.size,
            style.anchor,
            escaped(text)
        ));
    }

    /// Adds a coloured label with a dark seam, its left end on the base line at a point.
    pub(crate) fn label(&mut self, (x, y): (f64, f64), size: f64, color: &str, text: &str) {
        let decimals = self.decimals;
        self.add(format_args!(
            r##"<text x="{x:.decimals$}" y="{y:.decimals$}" font-family="DejaVu Sans Mono" font-size="{size}" fill="{color}" stroke="#1a0a2a" stroke-width="3" stroke-linejoin="round" paint-order="stroke">{}</text>"##,
            escaped(text)
        ));
    }

    /// The whole document.
    pub(crate) fn finish(mut self) -> String {
        self.body.push_str("</svg>");
        self.body
    }

    fn point(&self, (x, y): (f64, f64), separator: char) -> String {
        let decimals = self.decimals;
        format!("{x:.decimals$}{separator}{y:.decimals$}")
    }

    fn corners(&self, rectangle: &Rectangle) -> String {
        let decimals = self.decimals;
        format!(
            r#"x="{:.decimals$}" y="{:.decimals$}" width="{:.decimals$}" height="{:.decimals$}""#,
            rectangle.left,
            rectangle.top,
            rectangle.width(),
            rectangle.height()
        )
    }

    fn add(&mut self, element: Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.body.write_fmt(element);
    }
}

/// How wide a label is, in pixels.
pub(crate) fn label_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * FIXED_WIDTH_EM * size
}

/// Text as XML takes it. Control characters, which it does not take, are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}
