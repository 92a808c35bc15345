//! One style of modules: one that has parts in files of their own is the `mod.rs` of their folder.

use crate::finding::Finding;
use crate::module::Sources;

pub(super) fn check(sources: &Sources) -> Vec<Finding> {
    let modules = &sources.modules;
    let parents = modules.iter().filter_map(|part| Some((part, &modules[part.parent?])));
    parents
        .filter(|(part, parent)| {
            let is_folder = parent.file.file_name().is_some_and(|name| name == "mod.rs");
            part.file != parent.file && !is_folder && parent.parent.is_some()
        })
        .map(|(part, parent)| Finding {
            file: parent.file.clone(),
            line: 1,
            text: format!("`{}` is a file of its own, so this one is a folder's mod.rs", part.path),
        })
        .collect()
}
