//! The parts of a module are layers: their files may use each other one way only.

use std::collections::BTreeMap;

use crate::arrow::Arrow;
use crate::circle::{Edges, circles, shortest_way};
use crate::finding::Finding;
use crate::module::{ModuleId, Sources};
use crate::rules::circles::is_between_files;

/// Of each module whose parts use each other, the arrows by the two parts that they tie.
type Ties<'a> = BTreeMap<ModuleId, BTreeMap<(ModuleId, ModuleId), &'a Arrow<'a>>>;

pub(super) fn check(sources: &Sources, arrows: &[Arrow<'_>]) -> Vec<Finding> {
    let arrows: Vec<_> = arrows.iter().filter(|arrow| is_between_files(sources, arrow)).collect();
    let mut files = Edges::new();
    for arrow in &arrows {
        let [from, to] = [arrow.from, arrow.to].map(|id| sources.modules[id].file.as_path());
        files.entry(from).or_default().insert(to);
    }
    let mut ties = Ties::new();
    for arrow in arrows {
        let [from, to] = [arrow.from, arrow.to].map(|id| sources.modules[id].file.as_path());
        // A circle of files is told as such.
        let is_in_circle = shortest_way(&files, to, from).is_some();
        if let Some((parent, parts)) = parts(sources, arrow)
            && !is_in_circle
        {
            ties.entry(parent).or_default().entry(parts).or_insert(arrow);
        }
    }
    ties.values().flat_map(|ties| of_parts(sources, ties)).collect()
}

/// The lowest module that holds both ends of an arrow, and its parts that they are in. None if one
/// end holds the other.
fn parts(sources: &Sources, arrow: &Arrow<'_>) -> Option<(ModuleId, (ModuleId, ModuleId))> {
    let [from, to] = [arrow.from, arrow.to].map(|id| sources.ancestry(id));
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    Some((from[common - 1], (*from.get(common)?, *to.get(common)?)))
}

fn of_parts(sources: &Sources, ties: &BTreeMap<(ModuleId, ModuleId), &Arrow<'_>>) -> Vec<Finding> {
    let mut edges = Edges::new();
    for &(from, to) in ties.keys() {
        edges.entry(from).or_default().insert(to);
    }
    circles(&edges).iter().map(|circle| finding(sources, circle, ties)).collect()
}

fn finding(
    sources: &Sources,
    circle: &[ModuleId],
    ties: &BTreeMap<(ModuleId, ModuleId), &Arrow<'_>>,
) -> Finding {
    let module = |id: ModuleId| &sources.modules[id];
    let ends = circle.iter().zip(circle.iter().cycle().skip(1));
    let hops: Vec<&Arrow<'_>> = ends.map(|(&from, &to)| ties[&(from, to)]).collect();
    let uses = |arrow: &&Arrow<'_>| {
        let [from, to] = [arrow.from, arrow.to].map(|id| &module(id).path);
        format!("{from} uses {} of {to}", arrow.name)
    };
    let names: Vec<&str> = circle.iter().map(|&id| module(id).path.as_str()).collect();
    let uses: Vec<String> = hops.iter().map(uses).collect();
    Finding {
        file: module(hops[0].from).file.clone(),
        line: hops[0].reference.line,
        text: format!("layers in a circle: {}: {}", names.join(", "), uses.join("; ")),
    }
}
