//! Standard error: log lines and progress bars, which must not run into each other or into the
//! results.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::LazyLock;
use std::{env, fmt, fs};

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
    let format = Plain { is_journal: is_journal(env::var_os("JOURNAL_STREAM").as_deref()) };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(choice != anstream::ColorChoice::Never)
        .with_writer(|| BesideBars)
        .event_format(format)
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

/// Whether standard error goes to systemd's journal: `JOURNAL_STREAM` names its device and inode.
fn is_journal(stream: Option<&OsStr>) -> bool {
    let Ok(file) = fs::metadata("/dev/stderr") else { return false };
    stream.is_some_and(|stream| stream == format!("{}:{}", file.dev(), file.ino()).as_str())
}

/// Log lines as compilers write them: `warning: …`. The journal gets how serious they are in its own way, each line
/// of them: `<4>…`.
struct Plain {
    is_journal: bool,
}

impl Plain {
    fn to_journal<S, N>(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        N: for<'a> FormatFields<'a> + 'static,
    {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        let mut text = String::new();
        context.field_format().format_fields(Writer::new(&mut text), event)?;
        text.lines().try_for_each(|line| writeln!(writer, "<{priority}>{line}"))
    }
}

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
        if self.is_journal {
            return self.to_journal(context, writer, event);
        }
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
