//! No two files import each other, nor do more of them in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::arrow::Arrow;
use crate::circle::{Edges, circles};
use crate::finding::Finding;
use crate::module::Sources;

/// The names that tie two files, and the line of the first.
type Ties<'a> = BTreeMap<(&'a Path, &'a Path), (BTreeSet<&'a str>, usize)>;

pub(super) fn check(root: &Path, sources: &Sources, arrows: &[Arrow<'_>]) -> Vec<Finding> {
    let mut edges = Edges::<&Path>::new();
    let mut ties = Ties::new();
    for arrow in arrows.iter().filter(|arrow| is_between_files(sources, arrow)) {
        let [from, to] = [arrow.from, arrow.to].map(|id| sources.modules[id].file.as_path());
        edges.entry(from).or_default().insert(to);
        let (names, line) =
            ties.entry((from, to)).or_insert_with(|| (BTreeSet::new(), arrow.reference.line));
        names.insert(arrow.name.as_str());
        *line = arrow.reference.line.min(*line);
    }
    circles(&edges).iter().map(|circle| finding(root, circle, &ties)).collect()
}

/// Whether one file uses what another one of its crate defines: a module that is only named is not
/// used.
fn is_between_files(sources: &Sources, arrow: &Arrow<'_>) -> bool {
    let [from, to] = [arrow.from, arrow.to].map(|id| &sources.modules[id]);
    from.crate_id == to.crate_id
        && from.file != to.file
        && (!arrow.is_of_module || arrow.reference.kind.is_glob())
}

fn finding(root: &Path, circle: &[&Path], ties: &Ties<'_>) -> Finding {
    let short = |file: &Path| file.strip_prefix(root).unwrap_or(file).display().to_string();
    let mut text = format!("a circle of files: {}", short(circle[0]));
    let mut line = 1;
    for (index, &from) in circle.iter().enumerate().rev() {
        // Backwards, so that the line of the first tie remains.
        let to = circle[(index + 1) % circle.len()];
        line = ties.get(&(from, to)).map_or(line, |(_, line)| *line);
    }
    for (index, &from) in circle.iter().enumerate() {
        let to = circle[(index + 1) % circle.len()];
        let names = ties.get(&(from, to)).map(|(names, _)| names.iter().copied().collect());
        let names: Vec<&str> = names.unwrap_or_default();
        text += &format!(" -> {} ({})", short(to), names.join(", "));
    }
    Finding { file: circle[0].to_owned(), line, text }
}
