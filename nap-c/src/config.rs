//! What a receiver listens to, as a flat structure.

use std::mem::{MaybeUninit, offset_of, size_of};

use nap_phy::{BitRate, RadioConfiguration, ReceiverConfig};

use crate::status::NapStatus;

/// Listen for 100 bit/s.
pub const NAP_BIT_RATE_100: u32 = 1;
/// Listen for 600 bit/s.
pub const NAP_BIT_RATE_600: u32 = 2;

/// A radio configuration, which says where the channel lies.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NapRadioConfiguration {
    /// Not known: the channel is where `channel_center_hz` says.
    Unknown = 0,
    /// Europe, Middle East and Africa.
    Rc1 = 1,
    /// North America and Brazil.
    Rc2 = 2,
    /// Japan, listen before talk.
    Rc3Lbt = 3,
    /// Japan, low duty cycle.
    Rc3Ldc = 4,
    /// Latin America and Asia-Pacific.
    Rc4 = 5,
    /// South Korea.
    Rc5 = 6,
    /// India.
    Rc6 = 7,
    /// Russia.
    Rc7 = 8,
}

/// What a receiver listens to, and what it may take. Set by `nap_config_init`, then changed.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NapConfig {
    /// `sizeof(NapConfig)`.
    pub size: u32,
    /// One of `NapRadioConfiguration`; unless 0 it says where the channel lies.
    pub radio_configuration: i32,
    /// Samples per second, 200000 or more. Has to be set.
    pub sample_rate_hz: f64,
    /// Frequency of the samples' 0 Hz. Has to be set for absolute frequencies.
    pub center_hz: f64,
    /// Middle of the channel where no radio configuration says it; 0 for that of the samples.
    pub channel_center_hz: f64,
    /// Width of the channel: 192000.
    pub channel_width_hz: f64,
    /// Power of a full-scale carrier at the antenna, dBm. NaN if it is not known: levels are relative to full
    /// scale then.
    pub full_scale_dbm: f64,
    /// False messages a day that may be expected at most: 1.
    pub false_messages_per_day: f64,
    /// The fastest change of a carrier's frequency that is looked for: 60 Hz/s.
    pub max_drift_hz_per_s: f64,
    /// Sum of `NAP_BIT_RATE_100` and `NAP_BIT_RATE_600`: both.
    pub bit_rates: u32,
    /// Bursts of one bit rate that may wait for their ends at once.
    pub max_bursts: u32,
    /// Frames of one bit rate that are kept to be decoded together with others.
    pub max_undecoded_frames: u32,
    /// Groups of such frames that are tried when a new one comes.
    pub max_groups: u32,
    /// Devices with keys that frames are looked for with the help of.
    pub max_known_devices: u32,
    /// Events that wait to be polled at most; of more, the newest are dropped and counted: 256.
    pub max_events: u32,
    /// 0: `push` does all the work. Else `push` only keeps samples, so many at most, and
    /// `nap_receiver_work` does the work.
    pub max_backlog_samples: u64,
    /// Memory that the receiver may take at most, bytes; 0 for as much as the other limits allow. Where they
    /// allow more, no receiver is made.
    pub max_memory_bytes: u64,
}

/// The size of the first version, which a program has at least.
const FIRST_SIZE: usize = offset_of!(NapConfig, max_memory_bytes) + size_of::<u64>();

/// Far more than any receiver keeps.
const MAX_EVENTS: u32 = 1 << 20;
const MAX_BACKLOG_SAMPLES: u64 = 1 << 26;

impl NapConfig {
    /// What holds where nothing is set.
    pub(crate) fn new() -> Self {
        let config = ReceiverConfig::new(0.0, 0.0);
        let limits = config.limits;
        Self {
            size: size_of::<Self>() as u32,
            radio_configuration: NapRadioConfiguration::Unknown as i32,
            sample_rate_hz: 0.0,
            center_hz: 0.0,
            channel_center_hz: 0.0,
            channel_width_hz: config.channel_width_hz,
            full_scale_dbm: f64::NAN,
            false_messages_per_day: config.false_messages_per_day,
            max_drift_hz_per_s: limits.max_drift_hz_per_s,
            bit_rates: NAP_BIT_RATE_100 | NAP_BIT_RATE_600,
            max_bursts: limits.max_bursts as u32,
            max_undecoded_frames: limits.max_undecoded_frames as u32,
            max_groups: limits.max_groups as u32,
            max_known_devices: limits.max_known_devices as u32,
            max_events: 256,
            max_backlog_samples: 0,
            max_memory_bytes: 0,
        }
    }

    /// Writes the defaults to a structure of the caller, who may know less of it or more.
    pub(crate) fn init(bytes: &mut [MaybeUninit<u8>]) -> Result<(), NapStatus> {
        if bytes.len() < FIRST_SIZE {
            return Err(NapStatus::StructSize);
        }
        let size = u32::try_from(bytes.len()).map_err(|_| NapStatus::StructSize)?;
        let config = Self { size, ..Self::new() };
        bytes.fill(MaybeUninit::new(0));
        bytes.iter_mut().zip(config.bytes()).for_each(|(place, byte)| _ = place.write(byte));
        Ok(())
    }

    /// Reads the structure of a caller who knows less of it or more; what it does not know is as by default,
    /// what this library does not know has to be zero.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NapStatus> {
        let (known, unknown) = bytes.split_at(bytes.len().min(size_of::<Self>()));
        if known.len() < FIRST_SIZE || unknown.iter().any(|&byte| byte != 0) {
            return Err(NapStatus::StructSize);
        }
        let mut all = Self::new().bytes();
        all[..known.len()].copy_from_slice(known);
        // SAFETY: numbers alone, of which any bytes are some.
        Ok(unsafe { std::mem::transmute::<[u8; size_of::<Self>()], Self>(all) })
    }

    fn bytes(self) -> [u8; size_of::<Self>()] {
        const { assert!(PADDING == 0) };
        // SAFETY: without padding all bytes are those of numbers.
        unsafe { std::mem::transmute(self) }
    }

    /// The configuration that the fields mean.
    pub(crate) fn receiver_config(&self) -> Result<ReceiverConfig, NapStatus> {
        let mut config = ReceiverConfig::new(self.sample_rate_hz, self.center_hz);
        config = match radio_configuration(self.radio_configuration)? {
            Some(known) => config.with_radio_configuration(known),
            None if self.channel_center_hz != 0.0 => {
                config.with_channel_center(self.channel_center_hz)
            }
            None => config,
        };
        config.channel_width_hz = self.channel_width_hz;
        config.bit_rates = bit_rates(self.bit_rates)?;
        config.full_scale_dbm = Some(self.full_scale_dbm).filter(|level| !level.is_nan());
        config.false_messages_per_day = self.false_messages_per_day;
        config.limits.max_drift_hz_per_s = self.max_drift_hz_per_s;
        config.limits.max_bursts = self.max_bursts as usize;
        config.limits.max_undecoded_frames = self.max_undecoded_frames as usize;
        config.limits.max_groups = self.max_groups as usize;
        config.limits.max_known_devices = self.max_known_devices as usize;
        config.max_memory_bytes = Some(self.max_memory_bytes).filter(|&bytes| bytes != 0);
        Ok(config)
    }

    /// How many events are kept.
    pub(crate) fn events(&self) -> Result<usize, NapStatus> {
        let is_given = (1..=MAX_EVENTS).contains(&self.max_events);
        is_given.then_some(self.max_events as usize).ok_or(NapStatus::InvalidConfig)
    }

    /// How many samples are kept; `None` where `push` does all the work.
    pub(crate) fn backlog(&self) -> Result<Option<usize>, NapStatus> {
        match self.max_backlog_samples {
            0 => Ok(None),
            1..=MAX_BACKLOG_SAMPLES => {
                let samples = usize::try_from(self.max_backlog_samples);
                samples.map(Some).map_err(|_| NapStatus::InvalidConfig)
            }
            _ => Err(NapStatus::InvalidConfig),
        }
    }
}

/// Bytes between the fields, which would have no value.
const PADDING: usize = size_of::<NapConfig>()
    - (size_of::<[u32; 8]>() + size_of::<[f64; 7]>() + size_of::<[u64; 2]>());

/// The radio configuration of a number, if it is known.
fn radio_configuration(number: i32) -> Result<Option<RadioConfiguration>, NapStatus> {
    if number == NapRadioConfiguration::Unknown as i32 {
        return Ok(None);
    }
    let found = RadioConfiguration::ALL
        .into_iter()
        .find(|&known| NapRadioConfiguration::from(known) as i32 == number);
    found.map(Some).ok_or(NapStatus::InvalidConfig)
}

impl From<RadioConfiguration> for NapRadioConfiguration {
    fn from(known: RadioConfiguration) -> Self {
        match known {
            RadioConfiguration::Rc1 => Self::Rc1,
            RadioConfiguration::Rc2 => Self::Rc2,
            RadioConfiguration::Rc3Lbt => Self::Rc3Lbt,
            RadioConfiguration::Rc3Ldc => Self::Rc3Ldc,
            RadioConfiguration::Rc4 => Self::Rc4,
            RadioConfiguration::Rc5 => Self::Rc5,
            RadioConfiguration::Rc6 => Self::Rc6,
            RadioConfiguration::Rc7 => Self::Rc7,
        }
    }
}

fn bit_rates(sum: u32) -> Result<Vec<BitRate>, NapStatus> {
    let known = [(NAP_BIT_RATE_100, BitRate::Bps100), (NAP_BIT_RATE_600, BitRate::Bps600)];
    if sum == 0 || sum & !(NAP_BIT_RATE_100 | NAP_BIT_RATE_600) != 0 {
        return Err(NapStatus::InvalidConfig);
    }
    Ok(known.into_iter().filter(|(bit, _)| sum & bit != 0).map(|(_, rate)| rate).collect())
}
