//! Whose frame might it be? The known devices, by how well their identities fit soft symbols.

use arrayvec::ArrayVec;

use super::soft_container::SoftContainer;
use super::trellis::SoftPhases;
use crate::device::id::DeviceId;
use crate::device::table::DeviceTable;
use crate::uplink::convolution;
use crate::uplink::rank::Rank;

/// Devices worth a decoding of their own. Already at an Es/N0 of 0 dB the right one of a thousand is
/// among the first eight, but for a per cent.
const MAX_CHOSEN: usize = 8;
/// The first symbol of a container whose turn to the next depends on nothing but the device's id, in
/// all ranks: the convolution looks two bits back.
const FIRST_SYMBOL: usize = 17;
/// Symbols from there to the id's last.
const SYMBOLS: usize = 31;
/// Probability that a frame comes from one of the known devices.
const KNOWN_SENDER: f64 = 0.5;

/// A device and what its identity looks like.
#[derive(Debug, Clone)]
struct KnownDevice {
    id: DeviceId,
    /// By rank, the signs of the id's symbols relative to the first of them.
    signs: [[f32; SYMBOLS]; 3],
}

impl KnownDevice {
    fn new(id: DeviceId) -> Self {
        Self { id, signs: Rank::ALL.map(|rank| signs(id, rank)) }
    }

    /// How well the identity fits: the sum of soft values that agree with it, whatever came before.
    fn agreement(&self, frames: &[&SoftContainer]) -> f32 {
        let of_frame = |frame: &&SoftContainer| {
            let SoftPhases { rank, phases } = frame.soft_phases();
            let signs = &self.signs[rank.index()];
            let symbols = phases.iter().skip(FIRST_SYMBOL);
            symbols.zip(signs).map(|(phase, sign)| phase.value * sign).sum::<f32>().abs()
        };
        frames.iter().map(of_frame).sum()
    }
}

/// The signs of the symbols that send an id in a frame of this rank.
fn signs(id: DeviceId, rank: Rank) -> [f32; SYMBOLS] {
    let mut bytes = id.0.to_le_bytes();
    convolution::encode(rank, &mut bytes);
    let bits = u32::from_be_bytes(bytes);
    let mut sign = 1.0;
    std::array::from_fn(|k| {
        // The first symbol is that of the id's bit 1; a 0 turns the phase.
        if k > 0 && bits >> (SYMBOLS - 1 - k) & 1 == 0 {
            sign = -sign;
        }
        sign
    })
}

/// The devices whose keys are known.
#[derive(Debug, Clone)]
pub(crate) struct KnownDevices(Vec<KnownDevice>);

impl KnownDevices {
    /// What so many take, in bytes.
    pub(crate) fn memory_bytes(devices: usize) -> usize {
        devices * size_of::<KnownDevice>()
    }

    /// The devices of a table that have keys, the first `most` of them.
    pub(crate) fn new(table: &DeviceTable, most: usize) -> Self {
        let with_key = table.iter().filter(|device| device.key.is_some());
        Self(with_key.take(most).map(|device| KnownDevice::new(device.id)).collect())
    }

    /// Probability that a given one of them sent a frame.
    pub(crate) fn prior(&self) -> f64 {
        KNOWN_SENDER / self.0.len().max(1) as f64
    }

    /// Those that fit the frames of a message best, the best first.
    pub(crate) fn likeliest(&self, frames: &[&SoftContainer]) -> ArrayVec<DeviceId, MAX_CHOSEN> {
        let mut fits: Vec<(f32, DeviceId)> =
            self.0.iter().map(|device| (device.agreement(frames), device.id)).collect();
        fits.sort_by(|a, b| b.0.total_cmp(&a.0));
        fits.into_iter().take(MAX_CHOSEN).map(|(_, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha12Rng;

    use super::*;
    use crate::device::key::Key;
    use crate::device::table::Device;
    use crate::receiver::decoder::soft_container::ideal;
    use crate::uplink::content::Content;
    use crate::uplink::message::Uplink;
    use crate::uplink::message_counter::MessageCounter;

    fn table(devices: u32) -> DeviceTable {
        let mut table = DeviceTable::new();
        for n in 0..devices {
            let id = DeviceId(n.wrapping_mul(2_654_435_761));
            table.insert(Device { key: Some(Key::PUBLIC), ..Device::new(id) }).unwrap();
        }
        table
    }

    #[test]
    fn the_sender_is_among_those_chosen_in_every_rank() {
        let devices = KnownDevices::new(&table(1000), usize::MAX);
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        for n in 0..300u32 {
            let sender = DeviceId((3 * n).wrapping_mul(2_654_435_761));
            let counter = MessageCounter::new(n as u16).unwrap();
            let sent = Uplink::new(sender, counter, Content::Empty).container(&Key::PUBLIC);
            for rank in Rank::ALL {
                let frame = ideal(&sent, rank, 2.0, &mut rng);
                assert!(devices.likeliest(&[&frame]).contains(&sender), "{n} {rank}");
            }
        }
    }

    #[test]
    fn only_so_many_devices_with_keys_count() {
        let mut table = table(5);
        table.insert(Device::new(DeviceId(1))).unwrap();
        assert_eq!(KnownDevices::new(&table, usize::MAX).0.len(), 5);
        assert_eq!(KnownDevices::new(&table, 2).0.len(), 2);
        let none = KnownDevices::new(&table, 0);
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let counter = MessageCounter::new(0).unwrap();
        let sent = Uplink::new(DeviceId(0), counter, Content::Empty).container(&Key::PUBLIC);
        assert!(none.likeliest(&[&ideal(&sent, Rank::First, 2.0, &mut rng)]).is_empty());
    }
}
