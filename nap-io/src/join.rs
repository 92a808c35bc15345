//! Recordings that were written as several files: one after the other, read as one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use num_complex::Complex32;

use crate::error::Error;
use crate::file_name::file_name;
use crate::open::open;
use crate::open_options::{OpenOptions, SAME_CENTER_HZ};
use crate::sigmf::archive::{recordings_in, split_path};
use crate::sigmf::capture_breaks::{clock_tolerance_s, missing};
use crate::sigmf::names::find_meta;
use crate::source::SampleSource;
use crate::stream_info::{Break, StreamInfo};

/// Names tell times in whole seconds, and programs take a moment to begin the next file.
const NAMED_TIME_TOLERANCE_S: f64 = 2.0;

/// Which recordings belong together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JoinRule {
    /// SigMF recordings that go on where another one ends: `core:offset` says so, and the times agree.
    #[default]
    Offsets,
    /// Besides these, recordings whose names count (`a_001.cu8`, `a_002.cu8`) or whose times follow each
    /// other.
    Names,
}

/// Puts the parts of split recordings together: the groups come in the order of their first parts in
/// `paths`, their parts in the order of time. A recording that belongs to no other is a group of its own,
/// and so is one that cannot be opened. An archive of several recordings is each of them, and metadata and
/// data of a SigMF recording are one.
pub fn group(paths: &[PathBuf], options: &OpenOptions, rule: JoinRule) -> Vec<Vec<PathBuf>> {
    let recordings = |path: &PathBuf| match recordings_in(path) {
        recordings if recordings.is_empty() => vec![path.clone()],
        recordings => recordings,
    };
    let mut seen = BTreeMap::new();
    // Shells that expand `*` give both files of a SigMF recording.
    let is_new = |path: &PathBuf| match find_meta(path) {
        Ok(Some(meta_path)) => seen.entry(meta_path).or_insert_with(|| path.clone()) == path,
        _ => true,
    };
    let paths: Vec<PathBuf> = paths.iter().flat_map(recordings).filter(is_new).collect();
    if paths.len() < 2 {
        return paths.into_iter().map(|path| vec![path]).collect();
    }
    let part = |path: &PathBuf| {
        // A pipe can be read once only.
        let is_there = path.is_file() || split_path(path).is_some();
        let is_candidate = is_there && (rule == JoinRule::Names || is_sigmf(path));
        let info = is_candidate.then(|| open(path, options).ok()).flatten();
        Part { path: path.clone(), info: info.map(|source| source.info().clone()) }
    };
    let parts: Vec<Part> = paths.iter().map(part).collect();
    let next = successors(&parts, rule);
    let mut is_taken = vec![false; parts.len()];
    let mut is_next = vec![false; parts.len()];
    next.iter().flatten().for_each(|&index| is_next[index] = true);
    let firsts = (0..parts.len()).filter(|&index| !is_next[index]);
    let mut chains: Vec<Vec<usize>> = Vec::new();
    // Rules that contradict each other could make a ring; what is in one stays by itself.
    for first in firsts.chain(0..parts.len()) {
        if !is_taken[first] {
            let next = |&index: &usize| next[index].filter(|_| !is_next[first]);
            let chain: Vec<usize> = std::iter::successors(Some(first), next).collect();
            chain.iter().for_each(|&index| is_taken[index] = true);
            chains.push(chain);
        }
    }
    chains.sort_by_key(|chain| chain.iter().copied().min());
    let path = |index: usize| parts[index].path.clone();
    chains.into_iter().map(|chain| chain.into_iter().map(path).collect()).collect()
}

/// A recording that may be a part of a longer one.
struct Part {
    path: PathBuf,
    info: Option<StreamInfo>,
}

/// For each part the one that goes on where it ends, with the least missing between. No part follows two
/// others.
fn successors(parts: &[Part], rule: JoinRule) -> Vec<Option<usize>> {
    let mut pairs = Vec::new();
    for (first, before) in parts.iter().enumerate() {
        let others = parts.iter().enumerate().filter(|&(second, _)| second != first);
        pairs.extend(others.filter_map(|(second, after)| {
            Some((lost_between(before, after, rule)?, first, second))
        }));
    }
    pairs.sort_unstable();
    let mut next = vec![None; parts.len()];
    let mut is_next = vec![false; parts.len()];
    for (_, first, second) in pairs {
        if next[first].is_none() && !is_next[second] {
            next[first] = Some(second);
            is_next[second] = true;
        }
    }
    next
}

/// How many samples are missing between a recording and one that goes on where it ends; `None` if it does
/// not.
fn lost_between(first: &Part, second: &Part, rule: JoinRule) -> Option<u64> {
    let (before, after) = (first.info.as_ref()?, second.info.as_ref()?);
    if before.sample_rate_hz != after.sample_rate_hz || before.total_samples.is_none() {
        return None;
    }
    lost_by_offset(before, after).or_else(|| {
        let is_named = rule == JoinRule::Names;
        is_named.then(|| lost_by_name(first, second, before, after)).flatten()
    })
}

/// The same by `core:offset`, with which the times have to agree.
fn lost_by_offset(before: &StreamInfo, after: &StreamInfo) -> Option<u64> {
    let offset = after.offset.filter(|&offset| offset > 0)?;
    let end = before.offset.unwrap_or(0).checked_add(before.total_samples?)?;
    let lost = offset.checked_sub(end)?;
    match off_s(before, after) {
        Some(off_s) => {
            let expected_s = lost as f64 / before.sample_rate_hz;
            let elapsed_s = before.duration_s()? + expected_s;
            let is_whole = [before, after].iter().any(|info| has_whole_seconds(info));
            ((off_s - expected_s).abs() <= clock_tolerance_s(elapsed_s, is_whole)).then_some(lost)
        }
        None => (lost == 0).then_some(0),
    }
}

/// How long after the end of a recording the next one begins, in seconds, if both have a time.
fn off_s(before: &StreamInfo, after: &StreamInfo) -> Option<f64> {
    let end = end_time(before)?;
    Some(after.start?.duration_since(end).as_secs_f64())
}

fn end_time(info: &StreamInfo) -> Option<jiff::Timestamp> {
    let last = info.stretches().pop()?;
    let length = info.time_line_samples()?.saturating_sub(last.position);
    info.time_after(last.start, length)
}

fn has_whole_seconds(info: &StreamInfo) -> bool {
    info.start.is_some_and(|start| start.subsec_nanosecond() == 0)
}

/// The same for recordings whose names count, or whose times follow each other.
fn lost_by_name(
    first: &Part,
    second: &Part,
    before: &StreamInfo,
    after: &StreamInfo,
) -> Option<u64> {
    let counts = names_count(&first.path, &second.path);
    if after.start.is_some() && before.start >= after.start {
        return None;
    }
    match off_s(before, after) {
        Some(off_s) if off_s.abs() <= NAMED_TIME_TOLERANCE_S => Some(0),
        Some(off_s) if counts && off_s > 0.0 => {
            Some((off_s * before.sample_rate_hz).round() as u64)
        }
        None if counts => Some(0),
        _ => None,
    }
}

/// Whether the second name is the first with one number counted up by one.
fn names_count(first: &Path, second: &Path) -> bool {
    if first.parent() != second.parent() {
        return false;
    }
    let (first, second) = (file_name(first), file_name(second));
    let (first, second) = (words(&first), words(&second));
    if first.len() != second.len() {
        return false;
    }
    let mut different = first.iter().zip(&second).filter(|(a, b)| a != b);
    let (Some((a, b)), None) = (different.next(), different.next()) else { return false };
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.checked_add(1) == Some(b),
        _ => false,
    }
}

/// A name cut where digits begin and end.
fn words(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}

fn is_sigmf(path: &Path) -> bool {
    let name = file_name(path);
    name.contains(".sigmf-") || name.ends_with(".sigmf")
}

/// Opens recordings that follow each other, as [`group`] puts them together, as one. Their annotations are
/// not kept.
///
/// # Errors
/// As [`open`], and [`Error::Unsupported`] for several recordings of which one is a pipe or
/// compressed, so that nobody knows where it ends, or whose sample rates differ.
pub fn open_joined(
    paths: &[PathBuf],
    options: &OpenOptions,
) -> Result<Box<dyn SampleSource>, Error> {
    let (first, others) = match paths {
        [] => return open(Path::new(""), options),
        [path] => return open(path, options),
        [first, others @ ..] => (first, others),
    };
    let source = open(first, options)?;
    let mut info = source.info().clone();
    let mut lengths = vec![length(first, &info)?];
    let mut before = Part { path: first.clone(), info: Some(info.clone()) };
    info.annotations.clear();
    // A start that is given is that of the first part.
    let options = OpenOptions { start: None, ..*options };
    for path in others {
        let after = open(path, &options)?.info().clone();
        lengths.push(length(path, &after)?);
        if after.sample_rate_hz != info.sample_rate_hz {
            let what = format!(
                "a sample rate that changes to {} S/s within a recording",
                after.sample_rate_hz
            );
            return Err(Error::unsupported(path, what, "decode the files one by one"));
        }
        let part = Part { path: path.clone(), info: Some(after.clone()) };
        let lost = lost_between(&before, &part, JoinRule::Names).unwrap_or(0);
        append(&mut info, after, lost);
        before = part;
    }
    info.warnings.extend(missing(&info.breaks, info.sample_rate_hz));
    Ok(Box::new(Joined {
        paths: paths.to_vec(),
        lengths,
        options,
        index: 0,
        left: source.info().total_samples.unwrap_or(0),
        source: Some(source),
        info,
        held: None,
    }))
}

fn length(path: &Path, info: &StreamInfo) -> Result<u64, Error> {
    info.total_samples.ok_or_else(|| {
        let what = "a part of a recording of which nobody knows the length";
        Error::unsupported(path, what, "unpack it, or decode the files one by one")
    })
}

/// Adds what is known of the next part.
fn append(info: &mut StreamInfo, after: StreamInfo, lost_samples: u64) {
    let first = info.total_samples.unwrap_or(0);
    let center_hz = info.breaks.iter().rev().find_map(|at| at.center_hz).or(info.center_hz);
    let retuned = after
        .center_hz
        .filter(|hz| center_hz.is_none_or(|before_hz| (hz - before_hz).abs() > SAME_CENTER_HZ));
    if lost_samples > 0 || retuned.is_some() {
        info.breaks.push(Break { sample: first, lost_samples, center_hz: retuned, time: None });
    }
    let moved = |at: Break| Break { sample: at.sample.saturating_add(first), ..at };
    info.breaks.extend(after.breaks.into_iter().map(moved));
    info.total_samples = after.total_samples.map(|more| first.saturating_add(more));
    let is_new = |warning: &String| !info.warnings.contains(warning);
    let warnings: Vec<String> = after.warnings.into_iter().filter(is_new).collect();
    info.warnings.extend(warnings);
}

/// Several files, one open at a time: there may be more than a process may open.
struct Joined {
    paths: Vec<PathBuf>,
    /// How many samples each of them has.
    lengths: Vec<u64>,
    options: OpenOptions,
    /// The file that is being read.
    index: usize,
    /// How many of its samples are left.
    left: u64,
    /// The file, once it is read.
    source: Option<Box<dyn SampleSource>>,
    info: StreamInfo,
    /// An incomplete sample at the end of a file; told at the end of all.
    held: Option<Error>,
}

impl Joined {
    /// Goes on to the next file; returns whether there is one.
    fn next_file(&mut self) -> bool {
        if self.index + 1 >= self.paths.len() {
            return false;
        }
        self.index += 1;
        self.left = self.lengths[self.index];
        self.source = None;
        true
    }

    /// The file that is being read, which is opened when it is needed.
    fn source(&mut self) -> Result<&mut Box<dyn SampleSource>, Error> {
        let source = match self.source.take() {
            Some(source) => source,
            None => open(&self.paths[self.index], &self.options)?,
        };
        Ok(self.source.insert(source))
    }
}

impl SampleSource for Joined {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, block: &mut [Complex32]) -> Result<usize, Error> {
        loop {
            match self.source()?.read(block) {
                Ok(0) if self.next_file() => {}
                Ok(0) => return self.held.take().map_or(Ok(0), Err),
                Ok(count) => {
                    self.left = self.left.saturating_sub(count as u64);
                    return Ok(count);
                }
                Err(error @ Error::Truncated { .. }) if self.index + 1 < self.paths.len() => {
                    self.held.get_or_insert(error);
                    self.next_file();
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn skip(&mut self, samples: u64) -> Result<u64, Error> {
        let mut to_skip = samples;
        while to_skip > self.left && self.index + 1 < self.paths.len() {
            to_skip -= self.left;
            self.next_file();
        }
        let skipped = self.source()?.skip(to_skip)?;
        self.left = self.left.saturating_sub(skipped);
        Ok(samples - to_skip + skipped)
    }
}
