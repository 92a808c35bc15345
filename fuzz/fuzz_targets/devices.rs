//! A devices file: as a whole, and its lines of `device_id,key,message_modulo,name` by themselves.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nap_phy::{Device, DeviceTable};

fuzz_target!(|text: &str| {
    // A whole table that is taken has every identity once.
    if let Ok(table) = DeviceTable::from_csv(text.as_bytes()) {
        assert!(table.iter().all(|device| table.get(device.id) == Some(device)));
    }
    let mut table = DeviceTable::new();
    for line in text.lines() {
        let mut fields = line.splitn(4, ',');
        let mut field = || fields.next().unwrap_or_default();
        let Ok(device) = Device::from_fields(field(), field(), field(), field()) else { continue };
        let id = device.id;
        assert_eq!(id.to_string().parse(), Ok(id));
        let known = table.get(id).is_some();
        assert_eq!(table.insert(device).is_err(), known);
    }
});
