//! Inside a crate a name is imported from the module that defines it, not from one that re-exports it.

use crate::arrow::Arrow;
use crate::finding::Finding;
use crate::module::Sources;

pub(super) fn check(sources: &Sources, arrows: &[Arrow<'_>]) -> Vec<Finding> {
    let module = |id: usize| &sources.modules[id];
    arrows
        .iter()
        .filter(|arrow| arrow.named_crate == module(arrow.from).crate_id)
        .filter(|arrow| !arrow.reference.kind.is_re_export())
        .filter_map(|arrow| Some((arrow, *arrow.through.first()?)))
        // A macro gets its path by a `use` where it is defined.
        .filter(|(arrow, face)| *face != arrow.to)
        .map(|(arrow, face)| Finding {
            file: module(arrow.from).file.clone(),
            line: arrow.reference.line,
            text: format!(
                "`{}` comes from `{}`, not from `{}`, which re-exports it",
                arrow.name,
                origin(sources, arrow),
                module(face).path
            ),
        })
        .collect()
}

/// The path of the module that a name is in.
fn origin(sources: &Sources, arrow: &Arrow<'_>) -> String {
    let to = &sources.modules[arrow.to];
    let home = match to.parent {
        Some(parent) if arrow.is_of_module => &sources.modules[parent].path,
        _ => &to.path,
    };
    if to.crate_id == arrow.named_crate {
        return home.clone();
    }
    home.replacen("crate", &sources.crates[to.crate_id].name, 1)
}
