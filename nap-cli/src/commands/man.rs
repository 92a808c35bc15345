//! `nap man`: the manual pages.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};
use clap::builder::Resettable;
use clap_mangen::Man;

use crate::outcome::Outcome;

/// Manual pages.
///
/// Writes a manual page for nap and one for each of its commands into a folder: nap.1, nap-decode.1 and so on.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  nap man share/man/man1")]
pub struct Args {
    /// The folder; it is made if it does not exist.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Runs the command; `cli` is the whole command line.
pub fn run(args: &Args, cli: clap::Command) -> Result<Outcome> {
    let name = || format!("{}: cannot write the manual pages", args.folder.display());
    fs::create_dir_all(&args.folder).with_context(name)?;
    let mut cli = cli.disable_help_subcommand(true);
    cli.build();
    write(&cli, &args.folder).with_context(name)?;
    Ok(Outcome::Done)
}

/// Writes the page of a command, and those of the commands below it.
fn write(command: &clap::Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write(below, folder)?;
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    // `Man` would fill its lines like a paragraph, and break commands.
    let man = Man::new(command.clone().after_help(Resettable::Reset));
    let mut page = Vec::new();
    man.render(&mut page)?;
    page.extend_from_slice(sections(&after).as_bytes());
    fs::write(folder.join(man.get_filename()), page)
}

/// What comes after the help as sections of a manual page: a heading with a colon, and lines that stay as they are.
fn sections(text: &str) -> String {
    let section = |block: &str| {
        let (heading, lines) = block.split_once(":\n")?;
        let lines: Vec<_> =
            lines.lines().map(|line| escaped(line.strip_prefix("  ").unwrap_or(line))).collect();
        Some(format!(".SH {}\n.nf\n{}\n.fi\n", heading.to_uppercase(), lines.join("\n")))
    };
    text.split("\n\n").filter_map(section).collect()
}

/// A line of which nothing means anything to roff.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if line.starts_with('.') { format!("\\&{line}") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_after_the_help_stay_as_they_are() {
        let text =
            "Exit status:\n  0  done\n\nExamples:\n  nap frame '0x35F' |\n    nap x --y\n  .\\";
        let page = ".SH EXIT STATUS\n.nf\n0  done\n.fi\n\
                    .SH EXAMPLES\n.nf\nnap frame \\(aq0x35F\\(aq |\n  nap x \\-\\-y\n\\&.\\e\n.fi\n";
        assert_eq!(sections(text), page);
    }
}
