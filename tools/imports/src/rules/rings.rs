//! Which crate may use which: arrows run one way, and no crate is reached through another one.

use std::collections::BTreeSet;

use crate::arrow::Arrow;
use crate::finding::Finding;
use crate::module::Sources;
use crate::workspace::Package;

/// The packages from the innermost ring out, each with those that it may use.
const RINGS: [(&str, &[&str]); 14] = [
    ("nap-dsp", &[]),
    ("nap-phy", &["nap-dsp"]),
    ("nap-io", &["nap-dsp"]),
    ("nap-plot", &["nap-dsp"]),
    ("nap-station", &["nap-dsp", "nap-phy", "nap-io"]),
    ("nap-cli", &["nap-dsp", "nap-phy", "nap-io", "nap-plot", "nap-station"]),
    ("nap-c", &["nap-dsp", "nap-phy"]),
    ("nap-py", &["nap-dsp", "nap-phy", "nap-io"]),
    ("nap-benches", &["nap-dsp", "nap-phy", "nap-io", "nap-plot", "nap-station"]),
    ("nap-examples", &["nap-dsp", "nap-phy", "nap-io", "nap-station"]),
    // Tests alone use it.
    ("nap-far-ends", &[]),
    ("nap-findings", &[]),
    ("nap-imports", &["nap-findings"]),
    ("nap-words", &["nap-findings"]),
];

pub(super) fn check(packages: &[Package], sources: &Sources, arrows: &[Arrow<'_>]) -> Vec<Finding> {
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut findings: Vec<_> =
        packages.iter().flat_map(|package| of_manifest(package, &names)).collect();
    let foreign = |arrow: &&Arrow<'_>| {
        sources.crates[arrow.named_crate].package != sources.package(arrow.from)
    };
    findings.extend(arrows.iter().filter(foreign).filter_map(|arrow| of_arrow(sources, arrow)));
    findings
}

/// What a package may use; nothing if it stands in no ring.
fn allowed(package: &str) -> Option<&'static [&'static str]> {
    RINGS.iter().find(|(name, _)| *name == package).map(|(_, allowed)| *allowed)
}

fn of_manifest(package: &Package, names: &BTreeSet<&str>) -> Vec<Finding> {
    let finding = |line, text| Finding { file: package.manifest_path.clone(), line, text };
    let Some(allowed) = allowed(&package.name) else {
        return vec![finding(1, format!("{} has no place in the rings yet", package.name))];
    };
    let text = std::fs::read_to_string(&package.manifest_path).unwrap_or_default();
    let line = |name: &str| {
        text.lines().position(|line| line.starts_with(name)).map_or(1, |index| index + 1)
    };
    package
        .dependencies
        .iter()
        .filter(|one| !one.is_of_tests() && names.contains(one.name.as_str()))
        .filter(|one| !allowed.contains(&one.name.as_str()))
        .map(|one| finding(line(&one.name), against(&package.name, &one.name)))
        .collect()
}

fn of_arrow(sources: &Sources, arrow: &Arrow<'_>) -> Option<Finding> {
    let user = sources.package(arrow.from);
    let named = &sources.crates[arrow.named_crate].package;
    let owner = sources.package(arrow.to);
    let text = if allowed(user).is_some_and(|allowed| !allowed.contains(&named.as_str())) {
        against(user, named)
    } else if owner != named {
        format!(
            "`{}` is of {owner}; name that crate instead of reaching through {named}",
            arrow.name
        )
    } else {
        return None;
    };
    let file = sources.modules[arrow.from].file.clone();
    Some(Finding { file, line: arrow.reference.line, text })
}

fn against(user: &str, used: &str) -> String {
    format!("{user} may not use {used}: arrows between the rings run one way")
}
