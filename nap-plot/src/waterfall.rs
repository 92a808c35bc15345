//! A spectrogram as a figure: picture, axes, colour bar and marked bursts.

use colorous::Color;
use nap_dsp::spectrogram::SpectrogramArray;
use resvg::tiny_skia::{ColorU8, PixmapMut};

use crate::axis::Axis;
use crate::color_scale::ColorScale;
use crate::error::Error;
use crate::labels;
use crate::png;
use crate::rectangle::Rectangle;
use crate::svg::{Svg, TextStyle, label_width};

const TITLE: TextStyle = TextStyle { is_bold: true, ..TextStyle::new(18.0, "start") };
const SUBTITLE: TextStyle = TextStyle::new(14.0, "start");
const AXIS_TITLE: TextStyle = TextStyle::new(15.0, "middle");
const VERTICAL_TITLE: TextStyle = TextStyle { rotation: -90.0, ..AXIS_TITLE };
const LABEL_SIZE: f64 = 14.0;
/// Height of a label's line.
const LABEL_HEIGHT: f64 = 16.0;
/// From the top of a label to its base line.
const LABEL_ASCENT: f64 = 13.0;
const TICK_LENGTH: f64 = 6.0;
/// Digits after the point of coordinates.
const DECIMALS: usize = 2;
/// A 100 bit/s frame is narrower than a pixel: its box leaves some room around it.
const MIN_BOX_WIDTH: f64 = 14.0;
/// The colour where nothing was received.
const NOTHING: Color = Color { r: 0xc8, g: 0xc8, b: 0xc8 };
/// Colours of boxes, by device; all stand out from the scale's.
const BOX_COLORS: [&str; 4] = ["#ffffff", "#ff9d76", "#8fdcff", "#ffb3f0"];

/// The smallest figure in which there is room for anything.
pub const MIN_SIZE: (u32, u32) = (480, 320);
/// The largest figure.
pub const MAX_SIZE: (u32, u32) = (8192, 8192);

/// A burst to mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// When it starts.
    pub time_s: f64,
    /// How long it is.
    pub duration_s: f64,
    /// Its middle.
    pub frequency_hz: f64,
    /// How wide it is.
    pub width_hz: f64,
    /// What is written beside it.
    pub label: String,
    /// Marks of the same group have the same colour.
    pub group: usize,
}

/// What is drawn of a stretch of time with one centre frequency.
#[derive(Debug)]
pub struct Panel<'a> {
    /// The densities.
    pub array: &'a SpectrogramArray,
    /// Frequency of the array's 0 Hz; 0 if it is not known.
    pub center_hz: f64,
    /// Start and end of the stretch; the array's times count from its start.
    pub time_s: (f64, f64),
    /// Lower and upper end of the frequencies shown of it.
    pub frequency_hz: (f64, f64),
}

impl Panel<'_> {
    fn has(&self, time_s: f64, frequency_hz: f64) -> bool {
        (self.time_s.0..self.time_s.1).contains(&time_s)
            && (self.frequency_hz.0..self.frequency_hz.1).contains(&frequency_hz)
    }

    /// The density of the cell at an instant and a frequency of the panel; the outermost cells reach to its
    /// edges.
    fn power_db(&self, time_s: f64, frequency_hz: f64) -> Option<f32> {
        let array = self.array;
        let (first_s, first_hz) = (array.time_s.first()?, array.frequency_hz.first()?);
        let (rows, columns) = array.power_db.dim();
        let cell = |distance: f64, step: f64, count: usize| {
            ((distance / step).round().max(0.0) as usize).min(count - 1)
        };
        let row = cell(time_s - self.time_s.0 - first_s, array.time_step_s, rows);
        let distance_hz = frequency_hz - self.center_hz - first_hz;
        let column = cell(distance_hz, array.frequency_step_hz, columns);
        Some(array.power_db[[row, column]])
    }
}

/// What is drawn.
#[derive(Debug)]
pub struct Figure<'a> {
    /// Width and height in pixels, from [`MIN_SIZE`] to [`MAX_SIZE`].
    pub size: (u32, u32),
    /// Large, at the top.
    pub title: &'a str,
    /// Below it.
    pub subtitle: &'a str,
    /// The stretches, in order. Where there is none, the figure is grey.
    pub panels: &'a [Panel<'a>],
    /// Unit of the densities.
    pub density_unit: &'a str,
    /// Start and end of the time shown.
    pub time_s: (f64, f64),
    /// Whether frequencies are those of the radio, not counted from the recording's centre.
    pub has_center: bool,
    /// Lower and upper end of the frequencies shown.
    pub frequency_hz: (f64, f64),
    /// The bursts, at times and frequencies like those shown.
    pub marks: &'a [Mark],
}

/// A figure as a PNG file.
#[derive(Debug)]
pub struct Rendered {
    /// The file's content.
    pub png: Vec<u8>,
    /// Marks inside the figure for whose labels there was no room.
    pub unlabelled: usize,
}

/// Where the parts of a figure are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// The waterfall.
    pub plot: Rectangle,
    /// The colour bar.
    pub bar: Rectangle,
}

impl Layout {
    /// The layout of a figure of this size; all edges lie between pixels.
    pub fn new((width, height): (u32, u32)) -> Self {
        let (width, height) = (f64::from(width), f64::from(height));
        let plot = Rectangle { left: 76.0, top: 64.0, right: width - 124.0, bottom: height - 62.0 };
        let bar = Rectangle { left: width - 104.0, right: width - 84.0, ..plot };
        Self { plot, bar }
    }
}

impl Figure<'_> {
    /// Draws the figure.
    ///
    /// # Errors
    /// If there is no memory for the picture or it cannot be encoded.
    pub fn render(&self) -> Result<Rendered, Error> {
        let (width, height) = self.size;
        let mut picture = png::blank(width, height)?;
        let densities = self.panels.iter().flat_map(|panel| &panel.array.power_db);
        let scale = ColorScale::covering(densities);
        let layout = Layout::new(self.size);
        let levels = Axis {
            values: (scale.low_db.into(), scale.high_db.into()),
            pixels: (layout.bar.bottom, layout.bar.top),
        };
        self.paint_waterfall(&mut picture.as_mut(), &layout.plot, &scale);
        paint(&mut picture.as_mut(), &layout.bar, |_, y| scale.color(levels.value(y) as f32));

        let mut svg = Svg::new(width, height, DECIMALS);
        let unlabelled = self.draw_marks(&mut svg, &layout.plot);
        self.draw_titles(&mut svg, &layout.plot);
        self.draw_frequency_axis(&mut svg, &layout.plot);
        self.draw_time_axis(&mut svg, &layout.plot);
        self.draw_levels(&mut svg, &layout.bar, &levels);
        png::draw(&svg.finish(), &mut picture.as_mut())?;
        Ok(Rendered { png: png::encode(&picture)?, unlabelled })
    }

    fn frequency_axis(&self, plot: &Rectangle) -> Axis {
        Axis { values: self.frequency_hz, pixels: (plot.left, plot.right) }
    }

    /// Time runs downwards.
    fn time_axis(&self, plot: &Rectangle) -> Axis {
        Axis { values: self.time_s, pixels: (plot.top, plot.bottom) }
    }

    /// Gives each pixel the colour of the cell in which its middle lies.
    fn paint_waterfall(&self, picture: &mut PixmapMut<'_>, plot: &Rectangle, scale: &ColorScale) {
        let (frequency, time) = (self.frequency_axis(plot), self.time_axis(plot));
        paint(picture, plot, |x, y| {
            let (time_s, frequency_hz) = (time.value(y), frequency.value(x));
            let mut panels = self.panels.iter();
            let panel = panels.find(|panel| panel.has(time_s, frequency_hz));
            let power_db = panel.and_then(|panel| panel.power_db(time_s, frequency_hz));
            power_db.map_or(NOTHING, |db| scale.color(db))
        });
    }

    fn draw_titles(&self, svg: &mut Svg, plot: &Rectangle) {
        svg.text((plot.left, 28.0), TITLE, self.title);
        svg.text((plot.left, 50.0), SUBTITLE, self.subtitle);
    }

    fn draw_frequency_axis(&self, svg: &mut Svg, plot: &Rectangle) {
        let (unit, title) = match self.has_center {
            true => (1e6, "Frequency (MHz)"),
            false => (1e3, "Frequency from the recording's centre (kHz)"),
        };
        let end = plot.bottom + TICK_LENGTH;
        for tick in self.frequency_axis(plot).ticks(100.0, unit) {
            svg.line((tick.pixel, plot.bottom), (tick.pixel, end), "black");
            svg.text((tick.pixel, end + 16.0), TextStyle::new(14.0, "middle"), &tick.text);
        }
        svg.text((plot.middle_x(), end + 42.0), AXIS_TITLE, title);
    }

    fn draw_time_axis(&self, svg: &mut Svg, plot: &Rectangle) {
        let end = plot.left - TICK_LENGTH;
        for tick in self.time_axis(plot).ticks(50.0, 1.0) {
            svg.line((end, tick.pixel), (plot.left, tick.pixel), "black");
            svg.text((end - 4.0, tick.pixel + 5.0), TextStyle::new(14.0, "end"), &tick.text);
        }
        svg.text((22.0, plot.middle_y()), VERTICAL_TITLE, "Time (s)");
        svg.outline(plot, r#"stroke="black""#);
    }

    fn draw_levels(&self, svg: &mut Svg, bar: &Rectangle, levels: &Axis) {
        let end = bar.right + TICK_LENGTH;
        for tick in levels.ticks(40.0, 1.0) {
            svg.line((bar.right, tick.pixel), (end, tick.pixel), "black");
            svg.text((end + 4.0, tick.pixel + 5.0), TextStyle::new(14.0, "start"), &tick.text);
        }
        let title = format!("Power spectral density ({})", self.density_unit);
        svg.text((bar.right + 70.0, bar.middle_y()), VERTICAL_TITLE, &title);
        svg.outline(bar, r#"stroke="black""#);
    }

    /// Draws the boxes and their labels; returns how many labels found no room.
    fn draw_marks(&self, svg: &mut Svg, plot: &Rectangle) -> usize {
        let (marks, boxes): (Vec<&Mark>, Vec<Rectangle>) =
            self.marks.iter().filter_map(|mark| Some((mark, self.mark_box(mark, plot)?))).unzip();
        let widths: Vec<f64> =
            marks.iter().map(|mark| label_width(&mark.label, LABEL_SIZE)).collect();
        let places = labels::place(&boxes, &widths, LABEL_HEIGHT, plot);
        for ((mark, marked), place) in marks.iter().zip(&boxes).zip(&places) {
            let color = BOX_COLORS[mark.group % BOX_COLORS.len()];
            svg.outline(marked, &format!(r#"stroke="{color}" stroke-width="2""#));
            if let Some(place) = place {
                svg.label((place.left, place.top + LABEL_ASCENT), LABEL_SIZE, color, &mark.label);
            }
        }
        places.iter().filter(|place| place.is_none()).count()
    }

    /// The box of a mark as far as it is inside the plot.
    fn mark_box(&self, mark: &Mark, plot: &Rectangle) -> Option<Rectangle> {
        let (frequency, time) = (self.frequency_axis(plot), self.time_axis(plot));
        let half_hz = mark.width_hz / 2.0;
        let middle = frequency.pixel(mark.frequency_hz);
        let half = (frequency.pixel(mark.frequency_hz + half_hz) - middle).max(MIN_BOX_WIDTH / 2.0);
        let marked = Rectangle {
            left: middle - half,
            top: time.pixel(mark.time_s),
            right: middle + half,
            bottom: time.pixel(mark.time_s + mark.duration_s),
        };
        plot.intersection(&marked)
    }
}

/// Colours all pixels inside a rectangle by the place of their middles.
fn paint(picture: &mut PixmapMut<'_>, area: &Rectangle, color: impl Fn(f64, f64) -> Color) {
    let width = picture.width() as usize;
    let pixels = picture.pixels_mut();
    for y in area.top as usize..area.bottom as usize {
        for x in area.left as usize..area.right as usize {
            let color = color(x as f64 + 0.5, y as f64 + 0.5);
            pixels[y * width + x] =
                ColorU8::from_rgba(color.r, color.g, color.b, 255).premultiply();
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    const SIZE: (u32, u32) = (1600, 900);

    /// A quiet second of 10 kHz around 868.13 MHz, loud in one cell.
    fn array() -> SpectrogramArray {
        let (rows, columns) = (10, 100);
        let mut power_db = Array2::from_elem((rows, columns), -110.0);
        power_db[[4, 70]] = -60.0;
        SpectrogramArray {
            power_db,
            time_s: (0..rows).map(|row| 0.05 + 0.1 * row as f64).collect(),
            frequency_hz: (0..columns).map(|c| -4950.0 + 100.0 * c as f64).collect(),
            time_step_s: 0.1,
            frequency_step_hz: 100.0,
        }
    }

    fn panel(array: &SpectrogramArray) -> [Panel<'_>; 1] {
        let (time_s, frequency_hz) = ((5.0, 6.0), (868.125e6, 868.135e6));
        [Panel { array, center_hz: 868.13e6, time_s, frequency_hz }]
    }

    fn figure<'a>(panels: &'a [Panel<'a>], marks: &'a [Mark]) -> Figure<'a> {
        Figure {
            size: SIZE,
            title: "a <title> & \u{7}more",
            subtitle: "",
            panels,
            density_unit: "dBFS/Hz",
            time_s: (5.0, 6.0),
            has_center: true,
            frequency_hz: (868.125e6, 868.135e6),
            marks,
        }
    }

    /// The loud cell.
    fn mark() -> Mark {
        Mark {
            time_s: 5.4,
            duration_s: 0.1,
            frequency_hz: 868.13e6 + 2050.0,
            width_hz: 100.0,
            label: "004D33DB frame 1".to_owned(),
            group: 0,
        }
    }

    /// Width, height and the pixels of a PNG file.
    fn decode(png: &[u8]) -> (usize, usize, Vec<[u8; 3]>) {
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.color_type, ::png::ColorType::Rgb);
        let pixels = bytes.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect();
        (info.width as usize, info.height as usize, pixels)
    }

    #[test]
    fn a_box_is_where_its_burst_is() {
        let array = array();
        let panels = panel(&array);
        let figure = figure(&panels, &[]);
        let plot = Layout::new(SIZE).plot;
        assert_eq!((plot.width(), plot.height()), (1400.0, 774.0));
        let close = |found: Rectangle, expected: [f64; 4]| {
            let found = [found.left, found.top, found.right, found.bottom];
            let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3);
            assert!(near, "{found:?} for {expected:?}");
        };
        // 1400 pixels for 10 kHz, 774 for a second: the cell is 14 by 77.4 pixels.
        let marked = figure.mark_box(&mark(), &plot).unwrap();
        close(marked, [76.0 + 980.0, 64.0 + 309.6, 76.0 + 994.0, 64.0 + 387.0]);
        let narrow = figure.mark_box(&Mark { width_hz: 10.0, ..mark() }, &plot).unwrap();
        close(narrow, [1056.0, 373.6, 1070.0, 451.0]);
        let cut = figure.mark_box(&Mark { time_s: 4.95, ..mark() }, &plot).unwrap();
        close(cut, [1056.0, 64.0, 1070.0, 102.7]);
        let outside = Mark { frequency_hz: 868.2e6, ..mark() };
        assert_eq!(figure.mark_box(&outside, &plot), None);
        let later = Mark { time_s: 6.5, ..mark() };
        assert_eq!(figure.mark_box(&later, &plot), None);
    }

    #[test]
    fn a_cell_fills_its_pixels() {
        let array = array();
        let rendered = figure(&panel(&array), &[]).render().unwrap();
        let (width, height, pixels) = decode(&rendered.png);
        assert_eq!((width, height), (1600, 900));
        let loud = ColorScale::covering(&array.power_db).color(-60.0);
        for y in 65..837 {
            for x in 77..1475 {
                let inside = (1056..1070).contains(&x) && (374..451).contains(&y);
                let pixel = pixels[y * width + x];
                assert_eq!(pixel == [loud.r, loud.g, loud.b], inside, "({x}, {y}) is {pixel:?}");
            }
        }
    }

    #[test]
    fn marks_and_texts_leave_ink() {
        let array = array();
        let ink = |marks: &[Mark], area: Rectangle, color: [u8; 3]| {
            let (width, _, pixels) = decode(&figure(&panel(&array), marks).render().unwrap().png);
            let rows = area.top as usize..area.bottom as usize;
            rows.flat_map(|y| {
                pixels[y * width + area.left as usize..y * width + area.right as usize].iter()
            })
            .filter(|&&pixel| pixel == color)
            .count()
        };
        let around = Rectangle { left: 950.0, top: 350.0, right: 1170.0, bottom: 460.0 };
        assert_eq!(ink(&[], around, [255; 3]), 0);
        assert!(ink(&[mark()], around, [255; 3]) > 200, "a white box and its label");
        let left = Rectangle { left: 0.0, top: 64.0, right: 70.0, bottom: 838.0 };
        let below = Rectangle { left: 76.0, top: 840.0, right: 1476.0, bottom: 900.0 };
        let right = Rectangle { left: 1520.0, top: 64.0, right: 1600.0, bottom: 838.0 };
        let title = Rectangle { left: 76.0, top: 8.0, right: 800.0, bottom: 36.0 };
        for area in [left, below, right, title] {
            assert!(ink(&[], area, [0; 3]) > 100, "no text in {area:?}");
        }
    }

    #[test]
    fn labels_without_room_are_counted() {
        let array = array();
        let marks = vec![Mark { label: "x".repeat(300), ..mark() }];
        let panels = panel(&array);
        assert_eq!(figure(&panels, &marks).render().unwrap().unlabelled, 1);
        assert_eq!(figure(&panels, &[mark()]).render().unwrap().unlabelled, 0);
    }

    #[test]
    fn what_no_panel_covers_is_grey() {
        let array = array();
        let [whole] = panel(&array);
        // The upper half of the time, and then a quarter of it 2 kHz higher.
        let first = Panel { time_s: (5.0, 5.5), ..whole };
        let later = Panel {
            array: &array,
            center_hz: 868.132e6,
            time_s: (5.75, 6.0),
            frequency_hz: (868.127e6, 868.135e6),
        };
        let (width, _, pixels) = decode(&figure(&[first, later], &[]).render().unwrap().png);
        let at = |hz: f64, s: f64| {
            let x = 76.0 + (hz - 868.125e6) / 10e3 * 1400.0;
            pixels[(64.0 + (s - 5.0) * 774.0) as usize * width + x as usize]
        };
        let grey = [NOTHING.r, NOTHING.g, NOTHING.b];
        let loud = ColorScale::covering(&array.power_db).color(-60.0);
        assert_eq!(at(868.13205e6, 5.45), [loud.r, loud.g, loud.b]);
        assert_eq!((at(868.13e6, 5.6), at(868.126e6, 5.9)), (grey, grey));
        assert_ne!(at(868.13e6, 5.9), grey);
    }
}
