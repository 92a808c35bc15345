//! Drawings to pixels, and pixels to PNG files.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Color, Pixmap, PixmapMut, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

use crate::error::Error;

/// DejaVu Sans for text and DejaVu Sans Mono for labels.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    for font in [dejavu::sans::regular(), dejavu::sans::bold(), dejavu::sans_mono::regular()] {
        fonts.load_font_data(font.to_vec());
    }
    Arc::new(fonts)
});

/// A white picture.
///
/// # Errors
/// If there is no memory for it.
pub(crate) fn blank(width: u32, height: u32) -> Result<Pixmap, Error> {
    let mut picture = Pixmap::new(width, height).ok_or(Error::TooLarge { width, height })?;
    picture.fill(Color::WHITE);
    Ok(picture)
}

/// Draws an SVG document over a picture.
///
/// # Errors
/// If it cannot be understood.
pub(crate) fn draw(svg: &str, picture: &mut PixmapMut<'_>) -> Result<(), Error> {
    let options = Options { fontdb: Arc::clone(&FONTS), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| Error::Drawing(error.to_string()))?;
    resvg::render(&tree, Transform::identity(), picture);
    Ok(())
}

/// The picture as a PNG file without transparency.
///
/// # Errors
/// If it cannot be encoded.
pub(crate) fn encode(picture: &Pixmap) -> Result<Vec<u8>, Error> {
    let pixels = picture.pixels().iter();
    let rgb: Vec<u8> = pixels.flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
    let mut content = Vec::new();
    let mut encoder = png::Encoder::new(&mut content, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(content)
}
