//! Line charts of loss on a logarithmic axis, drawn as SVG and rendered to PNG with fonts of our
//! own: none need to be installed.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context, Result};
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

/// Least loss shown.
const FLOOR: f64 = 1e-3;
const PLOT_WIDTH: f64 = 600.0;
const PLOT_HEIGHT: f64 = 460.0;
/// Left of each plot: title and ticks of its axis.
const LEFT: f64 = 84.0;
/// Right of each plot.
const RIGHT: f64 = 26.0;
/// Above the plots: titles.
const TOP: f64 = 92.0;
/// Below the plots: ticks and title of the axis.
const BOTTOM: f64 = 70.0;
const LEGEND_ROW: f64 = 24.0;
const LEGEND_COLUMN: f64 = 420.0;
const LEGEND_LINE: f64 = 44.0;
const GRID: &str = "#d8d8d8";
const FAINT_GRID: &str = "#efefef";

/// Plots side by side with one legend.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Large, at the top.
    pub title: String,
    /// Below it.
    pub subtitle: String,
    /// From left to right.
    pub panels: Vec<Panel>,
}

/// One plot.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Above it.
    pub title: String,
    /// What is below it, with the unit.
    pub x_title: String,
    /// Ends of the axis.
    pub x: (f64, f64),
    /// From tick to tick.
    pub x_step: f64,
    /// What is drawn, the first at the bottom.
    pub curves: Vec<Curve>,
}

/// One line. Lines of the same label look the same in all panels and are listed once.
#[derive(Debug, Clone)]
pub struct Curve {
    /// In the legend.
    pub label: String,
    /// As SVG takes it.
    pub color: &'static str,
    /// Lengths of dashes and gaps as SVG takes them; empty for a line without gaps.
    pub dashes: &'static str,
    /// What is measured has marks and bars at its points.
    pub is_measured: bool,
    /// From left to right.
    pub points: Vec<Point>,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Place on the axis.
    pub x: f64,
    /// Share of the messages that were lost.
    pub loss: f64,
    /// Ends of the bar: where the true loss is likely to be.
    pub interval: Option<(f64, f64)>,
}

impl Point {
    /// A point without a bar.
    #[must_use]
    pub fn exact(x: f64, loss: f64) -> Self {
        Self { x, loss, interval: None }
    }

    /// A point with its 95 % interval of confidence after Wilson.
    #[must_use]
    pub fn counted(x: f64, lost: usize, sent: usize) -> Self {
        const Z: f64 = 1.96;
        let count = sent.max(1) as f64;
        let loss = lost as f64 / count;
        let scale = 1.0 / (1.0 + Z * Z / count);
        let middle = scale * (loss + 0.5 * Z * Z / count);
        let spread = scale * Z * (loss * (1.0 - loss) / count + 0.25 * (Z / count).powi(2)).sqrt();
        Self { x, loss, interval: Some((middle - spread, middle + spread)) }
    }
}

impl Chart {
    /// The chart as a PNG file.
    ///
    /// # Errors
    /// If it cannot be drawn, which would be a mistake in this module.
    pub fn png(&self) -> Result<Vec<u8>> {
        let (width, height) = self.size();
        let mut picture =
            Pixmap::new(width as u32, height as u32).context("the chart is too large")?;
        picture.fill(Color::WHITE);
        let options = Options { fontdb: Arc::new(fonts()), ..Options::default() };
        let tree = Tree::from_str(&self.svg(), &options).context("cannot draw the chart")?;
        resvg::render(&tree, Transform::identity(), &mut picture.as_mut());
        encode(&picture)
    }

    fn size(&self) -> (f64, f64) {
        let panels = self.panels.len() as f64;
        let legend = self.legend_rows() as f64 * LEGEND_ROW;
        (panels * (LEFT + PLOT_WIDTH + RIGHT), TOP + PLOT_HEIGHT + BOTTOM + legend + 10.0)
    }

    /// One curve of each label.
    fn legend(&self) -> Vec<&Curve> {
        let mut legend: Vec<&Curve> = Vec::new();
        for curve in self.panels.iter().flat_map(|panel| &panel.curves) {
            if legend.iter().all(|known| known.label != curve.label) {
                legend.push(curve);
            }
        }
        legend
    }

    fn legend_columns(&self) -> usize {
        let width = self.panels.len() as f64 * (LEFT + PLOT_WIDTH + RIGHT) - LEFT;
        (width / LEGEND_COLUMN).max(1.0) as usize
    }

    fn legend_rows(&self) -> usize {
        self.legend().len().div_ceil(self.legend_columns())
    }

    fn svg(&self) -> String {
        let (width, height) = self.size();
        let mut svg = Svg::default();
        svg.text((LEFT, 30.0), r#"font-size="19" font-weight="bold""#, &self.title);
        svg.text((LEFT, 54.0), r#"font-size="14""#, &self.subtitle);
        for (index, panel) in self.panels.iter().enumerate() {
            let left = index as f64 * (LEFT + PLOT_WIDTH + RIGHT) + LEFT;
            Frame { panel, left }.draw(&mut svg, index);
        }
        let rows = self.legend_rows();
        for (index, curve) in self.legend().into_iter().enumerate() {
            let x = LEFT + (index / rows) as f64 * LEGEND_COLUMN;
            let y = TOP + PLOT_HEIGHT + BOTTOM + (index % rows) as f64 * LEGEND_ROW;
            svg.line(curve, &[(x, y), (x + LEGEND_LINE, y)]);
            if curve.is_measured {
                svg.mark(curve, (x + 0.5 * LEGEND_LINE, y), true);
            }
            svg.text((x + LEGEND_LINE + 10.0, y + 5.0), r#"font-size="14""#, &curve.label);
        }
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="DejaVu Sans">{}</svg>"#,
            svg.body
        )
    }
}

/// A panel at its place.
struct Frame<'a> {
    panel: &'a Panel,
    left: f64,
}

impl Frame<'_> {
    fn x(&self, value: f64) -> f64 {
        let (low, high) = self.panel.x;
        self.left + (value - low) / (high - low) * PLOT_WIDTH
    }

    fn y(loss: f64) -> f64 {
        TOP + loss.max(FLOOR).log10() / FLOOR.log10() * PLOT_HEIGHT
    }

    fn draw(&self, svg: &mut Svg, index: usize) {
        self.draw_grid(svg);
        let (left, width) = (self.left, PLOT_WIDTH);
        svg.add(format_args!(
            r#"<clipPath id="plot{index}"><rect x="{left}" y="{TOP}" width="{width}" height="{PLOT_HEIGHT}"/></clipPath><g clip-path="url(#plot{index})">"#
        ));
        for curve in &self.panel.curves {
            self.draw_line(svg, curve);
        }
        svg.add(format_args!("</g>"));
        svg.add(format_args!(
            r#"<rect x="{left}" y="{TOP}" width="{width}" height="{PLOT_HEIGHT}" fill="none" stroke="black"/>"#
        ));
        for curve in self.panel.curves.iter().filter(|curve| curve.is_measured) {
            self.draw_marks(svg, curve);
        }
        let middle = left + 0.5 * width;
        let title = r#"font-size="16" font-weight="bold" text-anchor="middle""#;
        svg.text((middle, TOP - 12.0), title, &self.panel.title);
        let x_title = r#"font-size="15" text-anchor="middle""#;
        svg.text((middle, TOP + PLOT_HEIGHT + 46.0), x_title, &self.panel.x_title);
    }

    fn draw_grid(&self, svg: &mut Svg) {
        let (low, high) = self.panel.x;
        let bottom = TOP + PLOT_HEIGHT;
        let ticks = (0..).map(|n| low + f64::from(n) * self.panel.x_step);
        for value in ticks.take_while(|&value| value <= high + 1e-9) {
            let x = self.x(value);
            svg.straight((x, TOP), (x, bottom), GRID);
            let text = format!("{value}").replace('-', "\u{2212}");
            svg.text((x, bottom + 20.0), r#"font-size="14" text-anchor="middle""#, &text);
        }
        for decade in [1e-3, 1e-2, 1e-1] {
            for digit in 2..=9 {
                let y = Self::y(f64::from(digit) * decade);
                svg.straight((self.left, y), (self.left + PLOT_WIDTH, y), FAINT_GRID);
            }
        }
        for loss in [1e-3, 1e-2, 1e-1, 1.0] {
            let y = Self::y(loss);
            svg.straight((self.left, y), (self.left + PLOT_WIDTH, y), GRID);
            let text = format!("{} %", 100.0 * loss);
            svg.text((self.left - 8.0, y + 5.0), r#"font-size="14" text-anchor="end""#, &text);
        }
        let title = r#"font-size="15" text-anchor="middle" transform="rotate(-90)""#;
        svg.text((-(TOP + 0.5 * PLOT_HEIGHT), self.left - 64.0), title, "Messages lost");
    }

    fn draw_line(&self, svg: &mut Svg, curve: &Curve) {
        let points: Vec<(f64, f64)> =
            curve.points.iter().map(|point| (self.x(point.x), Self::y(point.loss))).collect();
        svg.line(curve, &points);
    }

    /// Marks and bars; a point without a loss has a hollow mark on the floor.
    fn draw_marks(&self, svg: &mut Svg, curve: &Curve) {
        let (low, high) = self.panel.x;
        for point in curve.points.iter().filter(|point| (low..=high).contains(&point.x)) {
            let x = self.x(point.x);
            if let Some((least, most)) = point.interval.filter(|_| point.loss > 0.0) {
                svg.straight((x, Self::y(least)), (x, Self::y(most)), curve.color);
            }
            svg.mark(curve, (x, Self::y(point.loss)), point.loss >= FLOOR);
        }
    }
}

/// The elements of a drawing.
#[derive(Default)]
struct Svg {
    body: String,
}

impl Svg {
    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.body.write_fmt(element);
    }

    /// Text without the characters that XML escapes.
    fn text(&mut self, (x, y): (f64, f64), attributes: &str, text: &str) {
        self.add(format_args!(r#"<text x="{x:.1}" y="{y:.1}" {attributes}>{text}</text>"#));
    }

    fn straight(&mut self, from: (f64, f64), to: (f64, f64), color: &str) {
        self.add(format_args!(
            r#"<path d="M{:.1} {:.1}L{:.1} {:.1}" stroke="{color}"/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    fn line(&mut self, curve: &Curve, points: &[(f64, f64)]) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.add(format_args!(
            r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="2" stroke-dasharray="{}"/>"#,
            points.join(" "),
            curve.color,
            if curve.dashes.is_empty() { "none" } else { curve.dashes }
        ));
    }

    fn mark(&mut self, curve: &Curve, (x, y): (f64, f64), is_filled: bool) {
        let fill = if is_filled { curve.color } else { "white" };
        self.add(format_args!(
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="4.5" fill="{fill}" stroke="{}" stroke-width="1.5"/>"#,
            curve.color
        ));
    }
}

fn fonts() -> Database {
    let mut fonts = Database::new();
    for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
        fonts.load_font_data(font.to_vec());
    }
    fonts
}

/// A picture without transparency as a PNG file.
fn encode(picture: &Pixmap) -> Result<Vec<u8>> {
    let pixels = picture.pixels().iter();
    let rgb: Vec<u8> = pixels.flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
    let mut content = Vec::new();
    let mut encoder = png::Encoder::new(&mut content, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<Point>) -> Chart {
        let curve = Curve {
            label: "measured".to_owned(),
            color: "#0000ff",
            dashes: "",
            is_measured: true,
            points,
        };
        let panel = Panel {
            title: "One frame".to_owned(),
            x_title: "Eb/N0 (dB)".to_owned(),
            x: (-4.0, 8.0),
            x_step: 2.0,
            curves: vec![curve],
        };
        Chart { title: "Loss".to_owned(), subtitle: String::new(), panels: vec![panel] }
    }

    /// Colour of a pixel of the rendered chart.
    fn pixel(chart: &Chart, (x, y): (f64, f64)) -> [u8; 3] {
        let png = chart.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let at = 3 * (y as usize * info.width as usize + x as usize);
        bytes[at..at + 3].try_into().unwrap()
    }

    #[test]
    fn points_are_where_the_axes_say() {
        // The middle of the axis, and one of three decades down.
        let place = (LEFT + 0.5 * PLOT_WIDTH, TOP + PLOT_HEIGHT / 3.0);
        assert_eq!(pixel(&chart(vec![Point::exact(2.0, 0.1)]), place), [0, 0, 255]);
        assert_ne!(pixel(&chart(vec![Point::exact(3.0, 0.1)]), place), [0, 0, 255]);
        let bottom = (place.0, TOP + PLOT_HEIGHT);
        assert_eq!(pixel(&chart(vec![Point::counted(2.0, 0, 500)]), bottom), [255; 3], "hollow");
    }

    /// The ends are the true losses from which what was counted is 1.96 standard deviations away.
    #[test]
    fn intervals_are_those_of_wilson() {
        let (low, high) = Point::counted(0.0, 5, 500).interval.unwrap();
        for (end, deviations) in [(low, 1.96), (high, -1.96)] {
            let deviation = (end * (1.0 - end) / 500.0).sqrt();
            assert!((0.01 - end - deviations * deviation).abs() < 1e-9, "{low} {high}");
        }
    }
}
