//! The rules of the house, a file each.

mod circles;
mod defining_module;
mod layers;
mod module_files;
mod rings;

use std::collections::BTreeSet;
use std::path::Path;

use crate::arrow::arrows;
use crate::finding::Finding;
use crate::module::Sources;
use crate::workspace::Package;

/// All breaches, in the order of the files, which are named from `root` on.
pub(crate) fn check(root: &Path, packages: &[Package], sources: &Sources) -> BTreeSet<Finding> {
    let arrows = arrows(sources);
    let mut findings = rings::check(packages, sources, &arrows);
    findings.extend(circles::check(root, sources, &arrows));
    findings.extend(layers::check(sources, &arrows));
    findings.extend(defining_module::check(sources, &arrows));
    findings.extend(module_files::check(sources));
    let from_root = |finding: Finding| Finding {
        file: finding.file.strip_prefix(root).map_or(finding.file.clone(), Path::to_owned),
        ..finding
    };
    findings.into_iter().map(from_root).collect()
}
