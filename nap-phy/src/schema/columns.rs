//! The fields of records in the order in which tables have them, CSV for one.

/// The fields of a [`MessageRecord`](super::MessageRecord). `frames` is how many there are, `ranks`
/// lists their ranks.
pub const MESSAGE_COLUMNS: &[&str] = &[
    "type",
    "schema",
    "time",
    "time_s",
    "device_id",
    "sequence_number",
    "kind",
    "payload",
    "voltage_idle_mv",
    "voltage_tx_mv",
    "temperature_decidegree_c",
    "rssi_dbm_at_device",
    "bidirectional",
    "auth",
    "radio_configuration",
    "bit_rate",
    "frequency_hz",
    "rssi_dbm",
    "rssi_dbfs",
    "snr_db",
    "drift_hz_per_s",
    "decoder",
    "frames",
    "ranks",
];

/// The fields of a [`FrameRecord`](super::FrameRecord).
pub const FRAME_COLUMNS: &[&str] = &[
    "type",
    "schema",
    "frame_type",
    "rank",
    "length_class",
    "length_indicator",
    "bidirectional",
    "repeated",
    "sequence_number",
    "device_id",
    "kind",
    "payload",
    "voltage_idle_mv",
    "voltage_tx_mv",
    "temperature_decidegree_c",
    "rssi_dbm_at_device",
    "auth_tag",
    "auth",
    "crc",
    "crc_ok",
];
