//! Layers inside a crate: what lies lower does not use what lies higher.

use std::collections::BTreeSet;

use crate::arrow::Arrow;
use crate::finding::Finding;
use crate::module::{ModuleId, Sources};

/// The layers of a crate, the lowest first, and the modules of its root in each. A module that is not
/// listed may use all and be used by all.
type Layers = &'static [&'static [&'static str]];

const LAYERS: [(&str, Layers); 5] = [
    (
        "nap-dsp",
        &[
            &["error", "kernels"],
            &[
                "baseband",
                "blanker",
                "channelizer",
                "decimator",
                "filter",
                "oscillator",
                "spectrogram",
                "subbands",
            ],
            &["canceller", "demodulator", "detector", "synchronizer"],
            &["simulator"],
        ],
    ),
    (
        "nap-phy",
        &[
            // The frame half, which firmware has without the receiver.
            &["device", "downlink", "error", "radio", "uplink"],
            &["message"],
            &["receiver", "schema"],
            &["scene"],
        ],
    ),
    (
        "nap-io",
        &[
            &["convert", "error", "format"],
            &["raw", "sdriq", "sigmf", "wav"],
            &["create", "open"],
            &["live"],
        ],
    ),
    (
        "nap-station",
        &[
            &["error", "rotated_file", "secret"],
            &["health", "metrics", "recorder", "relay", "rules"],
            &["config", "reception"],
            &["store"],
            &["station"],
        ],
    ),
    ("nap-cli", &[&["outcome", "terminal"], &["args", "output"], &["commands"]]),
];

pub(super) fn check(sources: &Sources, arrows: &[Arrow<'_>]) -> Vec<Finding> {
    let findings: BTreeSet<_> = arrows.iter().filter_map(|arrow| upwards(sources, arrow)).collect();
    findings.into_iter().collect()
}

/// What is wrong with an arrow from a lower layer to a higher one.
fn upwards(sources: &Sources, arrow: &Arrow<'_>) -> Option<Finding> {
    let [from, to] = [arrow.from, arrow.to].map(|id| &sources.modules[id]);
    let (_, layers) = LAYERS.iter().find(|(name, _)| *name == sources.package(arrow.from))?;
    if from.crate_id != to.crate_id {
        return None;
    }
    let [lower, higher] = [arrow.from, arrow.to].map(|id| root_part(sources, id));
    let layer = |part: &str| layers.iter().position(|layer| layer.contains(&part));
    if layer(lower?)? >= layer(higher?)? {
        return None;
    }
    Some(Finding {
        file: from.file.clone(),
        line: arrow.reference.line,
        text: format!(
            "`{}` lies below `{}` and may not use it: `{}` of `{}`",
            lower?, higher?, arrow.name, to.path
        ),
    })
}

/// The module of the crate's root that a module is in.
fn root_part(sources: &Sources, module: ModuleId) -> Option<&str> {
    let part = *sources.ancestry(module).get(1)?;
    sources.modules[part].path.strip_prefix("crate::")
}
