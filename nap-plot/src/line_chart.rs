//! Lines over linear axes, one plot below the other.
//!
//! ```
//! use nap_plot::line_chart::{Chart, Line, Plot};
//!
//! let line = Line {
//!     label: "followed".to_owned(),
//!     color: "#1f77b4",
//!     dashes: "",
//!     points: vec![(0.0, -4.0), (1.0, 3.5), (2.0, -1.0)],
//! };
//! let plot = Plot {
//!     x_title: "time / s".to_owned(),
//!     y_title: "frequency / Hz".to_owned(),
//!     x: (0.0, 2.0),
//!     y: (-6.0, 6.0),
//!     lines: vec![line],
//! };
//! let chart = Chart { title: "A carrier".to_owned(), plots: vec![plot] };
//! assert!(chart.png()?.starts_with(b"\x89PNG"));
//! # Ok::<(), nap_plot::Error>(())
//! ```

use crate::axis::Axis;
use crate::error::Error;
use crate::png;
use crate::rectangle::Rectangle;
use crate::svg::{Svg, TextStyle};

const WIDTH: u32 = 900;
const PLOT_HEIGHT: f64 = 250.0;
/// Left of each plot: title and ticks of its axis.
const LEFT: f64 = 84.0;
/// Right of each plot.
const RIGHT: f64 = 26.0;
/// Above the plots: the title.
const TOP: f64 = 50.0;
/// Above each plot: its legend.
const LEGEND: f64 = 30.0;
/// Below each plot: ticks and title of its axis.
const BOTTOM: f64 = 60.0;
const LEGEND_LINE: f64 = 34.0;
const LEGEND_COLUMN: f64 = 250.0;
/// Pixels from tick to tick at least.
const X_TICKS: f64 = 90.0;
const Y_TICKS: f64 = 36.0;
const GRID: &str = "#d8d8d8";
/// Digits after the point of coordinates.
const DECIMALS: usize = 1;

const TITLE: TextStyle = TextStyle { is_bold: true, ..TextStyle::new(18.0, "start") };
const LABEL: TextStyle = TextStyle::new(14.0, "start");
const AXIS_TITLE: TextStyle = TextStyle::new(15.0, "middle");
const VERTICAL_TITLE: TextStyle = TextStyle { rotation: -90.0, ..AXIS_TITLE };

/// Plots below each other.
#[derive(Debug, Clone)]
pub struct Chart {
    /// At the top.
    pub title: String,
    /// From top to bottom.
    pub plots: Vec<Plot>,
}

/// One plot.
#[derive(Debug, Clone)]
pub struct Plot {
    /// What is below it, with the unit.
    pub x_title: String,
    /// What is beside it, with the unit.
    pub y_title: String,
    /// Ends of the axis below it, the smaller first.
    pub x: (f64, f64),
    /// Ends of the axis beside it, the smaller first.
    pub y: (f64, f64),
    /// What is drawn, the first at the bottom.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    /// In the legend; no entry there if it is empty.
    pub label: String,
    /// As SVG takes it.
    pub color: &'static str,
    /// Lengths of dashes and gaps as SVG takes them; empty for a line without gaps.
    pub dashes: &'static str,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

impl Line {
    fn draw(&self, svg: &mut Svg, points: &[(f64, f64)]) {
        let dashes = if self.dashes.is_empty() { "none" } else { self.dashes };
        let attributes =
            format!(r#"stroke="{}" stroke-width="1.8" stroke-dasharray="{dashes}""#, self.color);
        svg.polyline(points, &attributes);
    }
}

impl Chart {
    /// The chart as a PNG file.
    ///
    /// # Errors
    /// If it cannot be drawn, which would be a mistake in this module.
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        let mut picture = png::blank(WIDTH, self.height())?;
        png::draw(&self.svg(), &mut picture.as_mut())?;
        png::encode(&picture)
    }

    fn height(&self) -> u32 {
        (TOP + self.plots.len() as f64 * (LEGEND + PLOT_HEIGHT + BOTTOM)) as u32
    }

    fn svg(&self) -> String {
        let mut svg = Svg::new(WIDTH, self.height(), DECIMALS);
        svg.text((LEFT, 30.0), TITLE, &self.title);
        for (index, plot) in self.plots.iter().enumerate() {
            let top = TOP + LEGEND + index as f64 * (LEGEND + PLOT_HEIGHT + BOTTOM);
            plot.draw(&mut svg, top, &format!("plot{index}"));
        }
        svg.finish()
    }
}

impl Plot {
    /// Draws the plot, whose frame begins at `top`; `name` is its own in the drawing.
    fn draw(&self, svg: &mut Svg, top: f64, name: &str) {
        let (right, bottom) = (f64::from(WIDTH) - RIGHT, top + PLOT_HEIGHT);
        let frame = Rectangle { left: LEFT, top, right, bottom };
        let x = Axis { values: self.x, pixels: (LEFT, right) };
        let y = Axis { values: self.y, pixels: (bottom, top) };
        for tick in x.ticks(X_TICKS, 1.0) {
            svg.line((tick.pixel, top), (tick.pixel, bottom), GRID);
            svg.text((tick.pixel, bottom + 20.0), TextStyle::new(14.0, "middle"), &tick.text);
        }
        for tick in y.ticks(Y_TICKS, 1.0) {
            svg.line((LEFT, tick.pixel), (right, tick.pixel), GRID);
            svg.text((LEFT - 8.0, tick.pixel + 5.0), TextStyle::new(14.0, "end"), &tick.text);
        }
        svg.clipped(name, &frame, |svg| {
            for line in &self.lines {
                let points = line.points.iter().map(|&(at, value)| (x.pixel(at), y.pixel(value)));
                line.draw(svg, &points.collect::<Vec<_>>());
            }
        });
        svg.outline(&frame, r#"stroke="black""#);
        svg.text((frame.middle_x(), bottom + 44.0), AXIS_TITLE, &self.x_title);
        svg.text((LEFT - 64.0, top + 0.5 * PLOT_HEIGHT), VERTICAL_TITLE, &self.y_title);
        self.draw_legend(svg, top - 12.0);
    }

    fn draw_legend(&self, svg: &mut Svg, y: f64) {
        let labelled = self.lines.iter().filter(|line| !line.label.is_empty());
        for (index, line) in labelled.enumerate() {
            let x = LEFT + index as f64 * LEGEND_COLUMN;
            line.draw(svg, &[(x, y), (x + LEGEND_LINE, y)]);
            svg.text((x + LEGEND_LINE + 8.0, y + 5.0), LABEL, &line.label);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a corner of a line is in the drawing.
    #[test]
    fn lines_are_where_the_axes_say() {
        let line = Line {
            label: String::new(),
            color: "#123456",
            dashes: "",
            points: vec![(0.0, 0.0), (10.0, 5.0)],
        };
        let plot = Plot {
            x_title: String::new(),
            y_title: String::new(),
            x: (0.0, 10.0),
            y: (0.0, 10.0),
            lines: vec![line],
        };
        let chart = Chart { title: String::new(), plots: vec![plot.clone(), plot] };
        let svg = chart.svg();
        let (bottom, right) = (TOP + LEGEND + PLOT_HEIGHT, f64::from(WIDTH) - RIGHT);
        let middle = bottom - 0.5 * PLOT_HEIGHT;
        let first = format!("{LEFT:.1},{bottom:.1} {right:.1},{middle:.1}");
        let down = LEGEND + PLOT_HEIGHT + BOTTOM;
        let second = format!("{LEFT:.1},{:.1} {right:.1},{:.1}", bottom + down, middle + down);
        for points in [first, second] {
            assert!(svg.contains(&format!("points=\"{points}\"")), "{points} in {svg}");
        }
        assert!(chart.png().unwrap().starts_with(b"\x89PNG"));
    }
}
