//! Which hardware this is, so that a disk in another box begins a new epoch.

use std::fs;
use std::path::Path;

use crc::{CRC_64_XZ, Crc};

/// Files that hold the serial number of a board.
const SERIALS: [&str; 3] = [
    "sys/class/dmi/id/product_serial",
    "sys/class/dmi/id/board_serial",
    "proc/device-tree/serial-number",
];

/// A hash of what tells this hardware from other: the addresses of its network interfaces, those that are
/// burnt in, and the serial number of its board. Looks under `root`, which is `/` but in tests.
#[must_use]
pub fn fingerprint(root: &Path) -> String {
    let mut parts = addresses(&root.join("sys/class/net"));
    let serial = SERIALS.iter().filter_map(|name| read(&root.join(name)));
    parts.extend(serial);
    let crc = Crc::<u64>::new(&CRC_64_XZ);
    format!("{:016x}", crc.checksum(parts.join("\n").as_bytes()))
}

/// The addresses of physical interfaces, sorted.
fn addresses(net: &Path) -> Vec<String> {
    let interfaces = fs::read_dir(net).into_iter().flatten().flatten().map(|entry| entry.path());
    // What is no device is a bridge, a tunnel or a container's end of a cable.
    let physical = interfaces.filter(|path| path.join("device").exists());
    let burnt_in =
        physical.filter(|path| read(&path.join("addr_assign_type")).is_none_or(|kind| kind == "0"));
    let mut all: Vec<_> = burnt_in.filter_map(|path| read(&path.join("address"))).collect();
    all.sort();
    all
}

/// The text in a file, if there is any.
fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn other_hardware_has_another_fingerprint() {
        let root = tempfile::tempdir().unwrap();
        let bare = fingerprint(root.path());
        put(root.path(), "sys/class/net/eth0/address", "02:00:00:00:00:01\n");
        assert_eq!(fingerprint(root.path()), bare, "no physical interface");
        put(root.path(), "sys/class/net/eth0/device/uevent", "");
        let one = fingerprint(root.path());
        assert_ne!(one, bare);
        put(root.path(), "sys/class/net/wlan0/device/uevent", "");
        put(root.path(), "sys/class/net/wlan0/address", "02:00:00:00:00:02\n");
        put(root.path(), "sys/class/net/wlan0/addr_assign_type", "1\n");
        assert_eq!(fingerprint(root.path()), one, "a random address says nothing");
        put(root.path(), "proc/device-tree/serial-number", "1000000012345678\0");
        assert_ne!(fingerprint(root.path()), one);
    }
}
