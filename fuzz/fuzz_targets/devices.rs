//! The fields of a devices file: lines of `device_id,key,message_modulo,name`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nap_phy::{Device, DeviceTable};

fuzz_target!(|text: &str| {
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
