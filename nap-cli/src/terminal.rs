//! Standard error: log lines and progress bars, which must not run into each other or into the
//! results.

use std::fmt;
use std::io::{self, Write};
use std::sync::LazyLock;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The bars on standard error; not drawn if that is no terminal.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Sets up what goes to standard error.
pub fn start(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::INFO,
        (_, 1) => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    if quiet {
        BARS.set_draw_target(ProgressDrawTarget::hidden());
    }
    let choice = anstream::AutoStream::choice(&io::stderr());
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(choice != anstream::ColorChoice::Never)
        .with_writer(|| BesideBars)
        .event_format(Plain)
        .init();
}

/// Runs `write` while no bar is on the screen.
pub fn beside_bars<T>(write: impl FnOnce() -> T) -> T {
    BARS.suspend(write)
}

/// A bar that counts samples, with the speed as a multiple of real time. Without a total it counts
/// up.
pub fn sample_bar(name: String, total: Option<u64>, sample_rate_hz: f64) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => {
            (ProgressBar::new(total), "{msg} {wide_bar} {percent:>3} %  {speed}  ETA {eta}")
        }
        None => (ProgressBar::no_length(), "{spinner} {msg} {elapsed}  {speed}"),
    };
    let speed = move |state: &ProgressState, w: &mut dyn fmt::Write| {
        let per_s = state.per_sec();
        let _ = write!(w, "{:.1} × real time, {:.1} MS/s", per_s / sample_rate_hz, per_s / 1e6);
    };
    // The template is ours: if it cannot be read, the default serves.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("speed", speed));
    }
    BARS.add(bar.with_message(name))
}

/// Writes to standard error without damage to the bars.
struct BesideBars;

impl Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        beside_bars(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Log lines as compilers write them: `warning: …`.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (word, color) = match *event.metadata().level() {
            Level::ERROR => ("error", AnsiColor::Red),
            Level::WARN => ("warning", AnsiColor::Yellow),
            Level::INFO => ("note", AnsiColor::Green),
            Level::DEBUG => ("debug", AnsiColor::Blue),
            Level::TRACE => ("trace", AnsiColor::Cyan),
        };
        if writer.has_ansi_escapes() {
            let style = Style::new().bold().fg_color(Some(color.into()));
            write!(writer, "{style}{word}:{style:#} ")?;
        } else {
            write!(writer, "{word}: ")?;
        }
        context.field_format().format_fields(writer.by_ref(), event)?;
        writer.write_char('\n')
    }
}
