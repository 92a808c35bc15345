//! The columns of messages as comma-separated values.

/// The fields of a message that go into CSV.
pub const COLUMNS: &[&str] = &[
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
