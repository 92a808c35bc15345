//! The project's pages: their links lead somewhere, and what they say of records is so.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a panic is a failed test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nap_phy::DeviceTable;
use nap_phy::schema::{FrameRecord, MessageRecord};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(page: &Path) -> String {
    std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// All pages of the project.
fn pages() -> Vec<PathBuf> {
    let folders = [
        "",
        "docs",
        "docs/python",
        "nap-dsp",
        "nap-phy",
        "nap-io",
        "nap-plot",
        "nap-station",
        "nap-cli",
        "nap-py",
        "fuzz",
        "virtual-device",
        "fixtures/vectors",
        "fixtures/recordings",
    ];
    let files = folders.iter().flat_map(|folder| root().join(folder).read_dir().unwrap());
    files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The targets of a page's links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|&c| c.is_alphanumeric() || c == ' ' || c == '-' || c == '_')
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    assert!(pages().len() > 8);
    for page in pages() {
        for link in links(&read(&page)).filter(|link| !link.starts_with("http")) {
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            assert!(target.exists(), "{}: nothing at {link}", page.display());
            let found = fragment.is_empty()
                || read(&target)
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line) == fragment);
            assert!(found, "{}: no heading for {link}", page.display());
        }
    }
}

/// The examples of the schema's page, by their `type`.
fn example(record_type: &str) -> Value {
    read(&root().join("docs/schema.md"))
        .split("```json")
        .skip(1)
        .filter_map(|rest| serde_json::from_str::<Value>(rest.split_once("```")?.0).ok())
        .find(|record| record["type"] == record_type)
        .unwrap_or_else(|| panic!("no example of a {record_type}"))
}

#[test]
fn the_schemas_examples_are_records() {
    let message = example("message");
    let record: MessageRecord = serde_json::from_value(message.clone()).unwrap();
    assert_eq!(serde_json::to_value(record).unwrap(), message);

    let frame = example("frame");
    let bitstream = "aaaaa35f012398badcfe40414243eeb999e6";
    assert!(read(&root().join("docs/schema.md")).contains(bitstream));
    let bytes: Vec<u8> = (0..bitstream.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&bitstream[at..at + 2], 16).unwrap())
        .collect();
    let key = "0123456789ABCDEF0123456789ABCDEF".parse().unwrap();
    let record = FrameRecord::parse(&bytes, Some(&key), &DeviceTable::new()).unwrap();
    assert_eq!(serde_json::to_value(record).unwrap(), frame);
}

#[test]
fn the_schema_explains_every_field() {
    let page = read(&root().join("docs/schema.md"));
    let explained: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0))
        .collect();
    // What only some records have.
    let mut fields: BTreeSet<String> = [
        "rssi_dbfs",
        "voltage_idle_mv",
        "voltage_tx_mv",
        "temperature_decidegree_c",
        "rssi_dbm_at_device",
    ]
    .map(Into::into)
    .into();
    for record in [example("message"), example("frame"), example("message")["frames"][0].clone()] {
        fields.extend(record.as_object().unwrap().keys().cloned());
    }
    for field in fields {
        assert!(explained.contains(field.as_str()), "docs/schema.md does not explain `{field}`");
    }
}

#[test]
fn the_scene_of_the_readme_can_be_built() {
    let readme = read(&root().join("README.md"));
    let scene = readme.split_once("```toml").unwrap().1.split_once("```").unwrap().0;
    let scene: nap_phy::scene::Scene = toml::from_str(scene).unwrap();
    let (_, truth) = scene.build().unwrap();
    assert_eq!(truth.messages.len(), 1);
}
