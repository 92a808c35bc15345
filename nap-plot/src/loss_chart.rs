//! Line charts of loss on a logarithmic axis.

use crate::error::Error;
use crate::png;
use crate::rectangle::Rectangle;
use crate::svg::{Svg, TextStyle};

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
/// Digits after the point of coordinates.
const DECIMALS: usize = 1;

const TITLE: TextStyle = TextStyle { is_bold: true, ..TextStyle::new(19.0, "start") };
const SUBTITLE: TextStyle = TextStyle::new(14.0, "start");
const PANEL_TITLE: TextStyle = TextStyle { is_bold: true, ..TextStyle::new(16.0, "middle") };
const AXIS_TITLE: TextStyle = TextStyle::new(15.0, "middle");
const VERTICAL_TITLE: TextStyle = TextStyle { rotation: -90.0, ..AXIS_TITLE };

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

impl Curve {
    fn draw_line(&self, svg: &mut Svg, points: &[(f64, f64)]) {
        let dashes = if self.dashes.is_empty() { "none" } else { self.dashes };
        let attributes =
            format!(r#"stroke="{}" stroke-width="2" stroke-dasharray="{dashes}""#, self.color);
        svg.polyline(points, &attributes);
    }

    fn draw_mark(&self, svg: &mut Svg, point: (f64, f64), is_filled: bool) {
        let fill = if is_filled { self.color } else { "white" };
        let attributes = format!(r#"fill="{fill}" stroke="{}" stroke-width="1.5""#, self.color);
        svg.circle(point, 4.5, &attributes);
    }
}

impl Chart {
    /// The chart as a PNG file.
    ///
    /// # Errors
    /// If it cannot be drawn, which would be a mistake in this module.
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        let (width, height) = self.size();
        let mut picture = png::blank(width, height)?;
        png::draw(&self.svg(), &mut picture.as_mut())?;
        png::encode(&picture)
    }

    fn size(&self) -> (u32, u32) {
        let width = self.panels.len() as f64 * (LEFT + PLOT_WIDTH + RIGHT);
        let legend = self.legend_rows() as f64 * LEGEND_ROW;
        (width as u32, (TOP + PLOT_HEIGHT + BOTTOM + legend + 10.0) as u32)
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
        let mut svg = Svg::new(width, height, DECIMALS);
        svg.text((LEFT, 30.0), TITLE, &self.title);
        svg.text((LEFT, 54.0), SUBTITLE, &self.subtitle);
        for (index, panel) in self.panels.iter().enumerate() {
            let left = index as f64 * (LEFT + PLOT_WIDTH + RIGHT) + LEFT;
            Frame { panel, left }.draw(&mut svg, index);
        }
        let rows = self.legend_rows();
        for (index, curve) in self.legend().into_iter().enumerate() {
            let x = LEFT + (index / rows) as f64 * LEGEND_COLUMN;
            let y = TOP + PLOT_HEIGHT + BOTTOM + (index % rows) as f64 * LEGEND_ROW;
            curve.draw_line(&mut svg, &[(x, y), (x + LEGEND_LINE, y)]);
            if curve.is_measured {
                curve.draw_mark(&mut svg, (x + 0.5 * LEGEND_LINE, y), true);
            }
            svg.text((x + LEGEND_LINE + 10.0, y + 5.0), SUBTITLE, &curve.label);
        }
        svg.finish()
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
        let plot = Rectangle {
            left: self.left,
            top: TOP,
            right: self.left + PLOT_WIDTH,
            bottom: TOP + PLOT_HEIGHT,
        };
        svg.clipped(&format!("plot{index}"), &plot, |svg| {
            for curve in &self.panel.curves {
                curve.draw_line(svg, &self.points(curve));
            }
        });
        svg.outline(&plot, r#"stroke="black""#);
        for curve in self.panel.curves.iter().filter(|curve| curve.is_measured) {
            self.draw_marks(svg, curve);
        }
        svg.text((plot.middle_x(), TOP - 12.0), PANEL_TITLE, &self.panel.title);
        svg.text((plot.middle_x(), plot.bottom + 46.0), AXIS_TITLE, &self.panel.x_title);
    }

    fn draw_grid(&self, svg: &mut Svg) {
        let (low, high) = self.panel.x;
        let bottom = TOP + PLOT_HEIGHT;
        let ticks = (0..).map(|n| low + f64::from(n) * self.panel.x_step);
        for value in ticks.take_while(|&value| value <= high + 1e-9) {
            let x = self.x(value);
            svg.line((x, TOP), (x, bottom), GRID);
            let text = format!("{value}").replace('-', "\u{2212}");
            svg.text((x, bottom + 20.0), TextStyle::new(14.0, "middle"), &text);
        }
        for decade in [1e-3, 1e-2, 1e-1] {
            for digit in 2..=9 {
                let y = Self::y(f64::from(digit) * decade);
                svg.line((self.left, y), (self.left + PLOT_WIDTH, y), FAINT_GRID);
            }
        }
        for loss in [1e-3, 1e-2, 1e-1, 1.0] {
            let y = Self::y(loss);
            svg.line((self.left, y), (self.left + PLOT_WIDTH, y), GRID);
            let text = format!("{} %", 100.0 * loss);
            svg.text((self.left - 8.0, y + 5.0), TextStyle::new(14.0, "end"), &text);
        }
        let middle = (self.left - 64.0, TOP + 0.5 * PLOT_HEIGHT);
        svg.text(middle, VERTICAL_TITLE, "Messages lost");
    }

    fn points(&self, curve: &Curve) -> Vec<(f64, f64)> {
        curve.points.iter().map(|point| (self.x(point.x), Self::y(point.loss))).collect()
    }

    /// Marks and bars; a point without a loss has a hollow mark on the floor.
    fn draw_marks(&self, svg: &mut Svg, curve: &Curve) {
        let (low, high) = self.panel.x;
        for point in curve.points.iter().filter(|point| (low..=high).contains(&point.x)) {
            let x = self.x(point.x);
            if let Some((least, most)) = point.interval.filter(|_| point.loss > 0.0) {
                svg.line((x, Self::y(least)), (x, Self::y(most)), curve.color);
            }
            curve.draw_mark(svg, (x, Self::y(point.loss)), point.loss >= FLOOR);
        }
    }
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
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
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
