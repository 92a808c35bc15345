//! Lines, rectangles and text over a picture, with fonts of our own: none need to be installed.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result};
use resvg::tiny_skia::{PixmapMut, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

use super::rectangle::Rectangle;

/// Width of a character of the fixed-width font in ems (1233 of 2048 units).
const FIXED_WIDTH_EM: f64 = 0.602;

/// DejaVu Sans for text and DejaVu Sans Mono for labels.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    for font in [dejavu::sans::regular(), dejavu::sans::bold(), dejavu::sans_mono::regular()] {
        fonts.load_font_data(font.to_vec());
    }
    Arc::new(fonts)
});

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub struct TextStyle {
    /// Size of the font in pixels.
    pub size: f64,
    /// Whether it is bold.
    pub is_bold: bool,
    /// `start`, `middle` or `end`: what of the text is at the point given.
    pub anchor: &'static str,
    /// Degrees clockwise.
    pub rotation: f64,
}

impl TextStyle {
    /// A style of black text that is read from left to right.
    pub const fn new(size: f64, anchor: &'static str) -> Self {
        Self { size, is_bold: false, anchor, rotation: 0.0 }
    }
}

/// A drawing of the size of a picture.
pub struct Svg {
    body: String,
}

impl Svg {
    /// An empty drawing.
    pub fn new(width: u32, height: u32) -> Self {
        Self {
            body: format!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="DejaVu Sans">"#
            ),
        }
    }

    /// Adds a thin black line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.add(format_args!(
            r#"<path d="M{:.2} {:.2}L{:.2} {:.2}" stroke="black"/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    /// Adds a rectangle's outline; `attributes` tell its stroke.
    pub fn outline(&mut self, r: &Rectangle, attributes: &str) {
        self.add(format_args!(
            r#"<rect x="{:.2}" y="{:.2}" width="{:.2}" height="{:.2}" fill="none" {attributes}/>"#,
            r.left,
            r.top,
            r.width(),
            r.height()
        ));
    }

    /// Adds black text whose anchor on the base line is at a point.
    pub fn text(&mut self, (x, y): (f64, f64), style: TextStyle, text: &str) {
        let weight = if style.is_bold { "bold" } else { "normal" };
        self.add(format_args!(
            r#"<text transform="translate({x:.2} {y:.2}) rotate({})" font-size="{}" font-weight="{weight}" text-anchor="{}">{}</text>"#,
            style.rotation,
            style.size,
            style.anchor,
            escaped(text)
        ));
    }

    /// Adds a coloured label with a dark seam, its left end on the base line at a point.
    pub fn label(&mut self, (x, y): (f64, f64), size: f64, color: &str, text: &str) {
        self.add(format_args!(
            r##"<text x="{x:.2}" y="{y:.2}" font-family="DejaVu Sans Mono" font-size="{size}" fill="{color}" stroke="#1a0a2a" stroke-width="3" stroke-linejoin="round" paint-order="stroke">{}</text>"##,
            escaped(text)
        ));
    }

    /// Draws it over a picture.
    ///
    /// # Errors
    /// If the drawing cannot be understood, which would be a mistake in this module.
    pub fn draw_on(mut self, picture: &mut PixmapMut<'_>) -> Result<()> {
        self.body.push_str("</svg>");
        let options = Options { fontdb: Arc::clone(&FONTS), ..Options::default() };
        let tree = Tree::from_str(&self.body, &options).context("cannot draw the axes")?;
        resvg::render(&tree, Transform::identity(), picture);
        Ok(())
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.body.write_fmt(element);
    }
}

/// How wide a label is, in pixels.
pub fn label_width(text: &str, size: f64) -> f64 {
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
