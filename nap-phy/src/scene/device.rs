//! Devices of a scene and what they send.

use arrayvec::ArrayVec;
use nap_dsp::simulator::{Rotation, Wander};
use serde::Deserialize;

use crate::device::id::DeviceId;
use crate::device::key::Key;
use crate::error::Error;
use crate::radio::bit_rate::BitRate;
use crate::radio::configuration::{BIDIRECTIONAL_PAUSE_MS, RadioConfiguration};
use crate::radio::frequency_generator::FrequencyGenerator;
use crate::scene::error::SceneError;
use crate::scene::shape::Shape;
use crate::schema::uplink::UplinkRecord;
use crate::uplink::kind::Kind;
use crate::uplink::message::Uplink;
use crate::uplink::message_counter::MessageCounter;
use crate::uplink::rank::Rank;

/// A device of a scene.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneDevice {
    /// Its identity.
    pub id: DeviceId,
    /// Its key.
    pub key: Key,
    /// The rules that it follows; those of the scene if left out.
    pub radio_configuration: Option<RadioConfiguration>,
    /// How fast it sends; the usual rate of the radio configuration if left out.
    pub bit_rate: Option<BitRate>,
    /// How it turns the phase; `rect` if left out.
    #[serde(default)]
    pub shape: Shape,
    /// Phase reversals as rotations with a steady envelope, in place of a shape.
    pub rotation: Option<Rotation>,
    /// Mean power of its frames at the receiver.
    pub level_dbm: f64,
    /// How much too fast its crystal is. This shifts its carriers and its symbol clock alike.
    #[serde(default)]
    pub crystal_ppm: f64,
    /// How much too fast its symbol clock is besides.
    #[serde(default)]
    pub bit_rate_error_ppm: f64,
    /// Change of its carrier during a frame.
    #[serde(default)]
    pub drift_hz_per_s: f64,
    /// How its carrier strays in each frame, from the frame's start on: to the same side in all of them, but
    /// for what is random.
    #[serde(default)]
    pub wander: Wander,
    /// From the end of a frame to the start of the next; 0.5 s if left out, and always for messages
    /// that ask for a downlink.
    #[serde(default = "default_pause_s")]
    pub pause_s: f64,
    /// The value after which its frequency generator goes on.
    #[serde(default)]
    pub random_value: u16,
    /// Largest Doppler shift of fading; a steady path if left out.
    pub doppler_hz: Option<f64>,
    /// How much stronger a steady path is than all that fade: Rician fading; Rayleigh fading if left
    /// out.
    pub rician_k_db: Option<f64>,
    /// Whether one fading runs on through all frames of a message; each fades for itself if not.
    #[serde(default)]
    pub fading_runs_on: bool,
    /// What it sends.
    #[serde(default, rename = "message")]
    pub messages: Vec<SceneMessage>,
}

/// A message of a device.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneMessage {
    /// When the first frame starts: its reference symbol, or its ramp if it is `s2lp`.
    pub time_s: f64,
    /// The device's last number plus one if left out, 0 in its first message.
    pub sequence_number: Option<MessageCounter>,
    /// `bytes` if left out.
    #[serde(default = "default_kind")]
    pub kind: Kind,
    /// Payload of the kind `bytes`, in hexadecimal.
    #[serde(default)]
    pub payload: String,
    /// Whether the device asks for a downlink.
    #[serde(default)]
    pub bidirectional: bool,
    /// Supply voltage while idle, of the control kinds.
    pub voltage_idle_mv: Option<u16>,
    /// Supply voltage while sending, of the control kinds.
    pub voltage_tx_mv: Option<u16>,
    /// Temperature in tenths of a degree, of the control kinds.
    pub temperature_decidegree_c: Option<i16>,
    /// Level of the downlink, of the kind `dl_confirmation`.
    pub rssi_dbm_at_device: Option<i16>,
    /// How many frames are sent, 1 to 3; 3 if left out, 1 for a `dl_confirmation`.
    pub frames: Option<Rank>,
    /// Where the device means to send each frame, in its middle; its crystal's error comes on top.
    /// Drawn by the device's generator if left out.
    pub frequencies_hz: Option<Vec<f64>>,
    /// Mean power at the receiver; the device's if left out.
    pub level_dbm: Option<f64>,
}

/// From the end of a frame to the start of the next, where a scene does not say.
pub(super) fn default_pause_s() -> f64 {
    0.5
}

fn default_kind() -> Kind {
    Kind::Bytes
}

impl SceneDevice {
    /// The rules that it follows in a scene of these rules.
    pub(super) fn radio_configuration(&self, scene: RadioConfiguration) -> RadioConfiguration {
        self.radio_configuration.unwrap_or(scene)
    }

    /// Checks what only makes sense together.
    pub(super) fn check(&self, place: &str) -> Result<(), SceneError> {
        let conflict = |is_one: bool, problem| SceneError::check_conflict(place, is_one, problem);
        conflict(
            self.rotation.is_some() && self.shape != Shape::Rect,
            "`rotation` stands in place of a `shape`: leave one of them out",
        )?;
        let fades = self.doppler_hz.is_some();
        conflict(
            self.rician_k_db.is_some() && !fades,
            "`rician_k_db` needs a `doppler_hz`, 0 for a path that stands still",
        )?;
        conflict(self.fading_runs_on && !fades, "`fading_runs_on` needs a `doppler_hz`")
    }

    /// How fast it sends in a scene of these rules.
    pub(super) fn bit_rate(&self, scene: RadioConfiguration) -> BitRate {
        self.bit_rate.unwrap_or_else(|| self.radio_configuration(scene).nominal_bit_rate())
    }
}

impl SceneMessage {
    /// The message that it describes, which is the device's number `sequence_number`.
    pub(super) fn uplink(
        &self,
        device_id: DeviceId,
        sequence_number: MessageCounter,
    ) -> Result<Uplink, Error> {
        UplinkRecord {
            kind: self.kind,
            device_id,
            key: None,
            sequence_number,
            payload: self.payload.clone(),
            bidirectional: self.bidirectional,
            voltage_idle_mv: self.voltage_idle_mv,
            voltage_tx_mv: self.voltage_tx_mv,
            temperature_decidegree_c: self.temperature_decidegree_c,
            rssi_dbm_at_device: self.rssi_dbm_at_device,
        }
        .uplink()
    }

    /// Rank of the last frame.
    pub(super) fn last(&self) -> Rank {
        self.frames.unwrap_or(match self.kind {
            Kind::DlConfirmation => Rank::First,
            _ => Rank::Third,
        })
    }

    /// From the end of a frame to the start of the next.
    pub(super) fn pause_s(&self, device: &SceneDevice) -> f64 {
        if self.bidirectional {
            return f64::from(BIDIRECTIONAL_PAUSE_MS) / 1000.0;
        }
        device.pause_s
    }

    /// Where the device means to send its frames.
    pub(super) fn frequencies_hz(
        &self,
        place: &str,
        generator: &mut FrequencyGenerator,
    ) -> Result<Vec<f64>, SceneError> {
        let last = self.last();
        let drawn =
            |frequencies_hz: ArrayVec<u32, 3>| frequencies_hz.into_iter().map(f64::from).collect();
        match &self.frequencies_hz {
            Some(given) if given.len() == usize::from(last.number()) => Ok(given.clone()),
            Some(given) => Err(SceneError::Frequencies {
                place: place.to_owned(),
                expected: last.number(),
                found: given.len(),
            }),
            None if self.bidirectional => Ok(drawn(generator.bidirectional_hz(last))),
            None => Ok(drawn(generator.uplink_hz(last))),
        }
    }
}
