//! What must hold for every message and for any bytes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic in a test is a failed test"
)]

use nap_phy::{
    Authentication, Container, Content, ControlMessage, DeviceId, DeviceRssi, Frame, FrameError,
    FrameType, Key, LengthClass, MessageCounter, Payload, Rank, Telemetry, Uplink, convolution,
    crc_syndrome, crc16,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

fn telemetry() -> impl Strategy<Value = Telemetry> {
    any::<(u16, u16, i16)>().prop_map(
        |(voltage_idle_mv, voltage_tx_mv, temperature_decidegree_c)| Telemetry {
            voltage_idle_mv,
            voltage_tx_mv,
            temperature_decidegree_c,
        },
    )
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::Empty),
        any::<bool>().prop_map(Content::Bit),
        vec(any::<u8>(), 1..=12).prop_map(|bytes| Content::Bytes(Payload::new(&bytes).unwrap())),
        telemetry().prop_map(|telemetry| Content::Control(ControlMessage::KeepAlive(telemetry))),
        (telemetry(), -228..=27_i16).prop_map(|(telemetry, dbm)| {
            let rssi = DeviceRssi::from_dbm(dbm).unwrap();
            Content::Control(ControlMessage::DownlinkConfirmation { telemetry, rssi })
        }),
    ]
}

fn uplink() -> impl Strategy<Value = Uplink> {
    (any::<u32>(), 0..4096_u16, any::<bool>(), content()).prop_map(
        |(device_id, sequence_number, bidirectional, content)| {
            let sequence_number = MessageCounter::new(sequence_number).unwrap();
            let uplink = Uplink::new(DeviceId(device_id), sequence_number, content);
            uplink
                .clone()
                .with_bidirectional(bidirectional)
                .unwrap_or(uplink)
        },
    )
}

fn class() -> impl Strategy<Value = LengthClass> {
    select(&LengthClass::ALL[..])
}

fn rank() -> impl Strategy<Value = Rank> {
    select(&Rank::ALL[..])
}

/// Bytes of a container with a CRC that matches, the rest random.
fn container_with_crc() -> impl Strategy<Value = (LengthClass, Vec<u8>)> {
    class().prop_flat_map(|class| {
        vec(any::<u8>(), class.container_bytes() - 2)
            .prop_map(move |bytes| (class, with_crc(bytes)))
    })
}

fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(crc16(&bytes).to_be_bytes());
    bytes
}

proptest! {
    // The same cases in every run.
    #![proptest_config(ProptestConfig { cases: 4096, rng_seed: RngSeed::Fixed(0x5167), ..ProptestConfig::default() })]

    #[test]
    fn every_message_survives_every_frame(uplink in uplink(), key: [u8; 16]) {
        let key = Key::from_bytes(key);
        for rank in Rank::ALL {
            let frame = Frame::parse(&uplink.encode(rank, &key)).unwrap();
            prop_assert_eq!(frame.rank(), rank);
            prop_assert_eq!(frame.container(), &uplink.container(&key));
            prop_assert_eq!(frame.container().uplink(), Ok(uplink.clone()));
            prop_assert_eq!(frame.container().authenticate(&key), Authentication::Verified);
        }
    }

    #[test]
    fn any_bytes_are_parsed_without_panic(bytes in vec(any::<u8>(), 0..40)) {
        let _ = Frame::parse(&bytes);
        for class in LengthClass::ALL {
            let _ = Container::check(class, &bytes);
        }
    }

    #[test]
    fn any_container_behind_a_frame_type_is_parsed_without_panic(
        class in class(),
        rank in rank(),
        container in vec(any::<u8>(), 0..30),
    ) {
        let sync_word = FrameType { class, rank }.sync_word().to_be_bytes();
        let bitstream: Vec<u8> = sync_word.into_iter().chain(container).collect();
        prop_assert!(Frame::parse(&bitstream).is_err() || bitstream.len() >= 14);
    }

    #[test]
    fn accepted_containers_are_whole((class, bytes) in container_with_crc()) {
        prop_assert_eq!(crc_syndrome(&bytes), 0);
        match Container::check(class, &bytes) {
            Ok(container) => {
                prop_assert_eq!(container.as_bytes(), &bytes[..]);
                let parts = [
                    &bytes[..6],
                    container.payload(),
                    container.tag(),
                    &container.crc().to_be_bytes(),
                ];
                prop_assert_eq!(parts.concat(), bytes);
                match container.uplink() {
                    Ok(uplink) => prop_assert_eq!(uplink.device_id(), container.device_id()),
                    Err(error) => {
                        prop_assert!(container.repeated());
                        prop_assert_eq!(error, FrameError::RepeatedFrame);
                    }
                }
            }
            Err(error) => prop_assert!(
                matches!(
                    error,
                    FrameError::LengthIndicator { .. }
                        | FrameError::ControlCode { .. }
                        | FrameError::ControlLength { .. }
                        | FrameError::BidirectionalControl
                ),
                "{error}"
            ),
        }
    }

    #[test]
    fn convolution_is_its_formula_and_can_be_undone(bytes in vec(any::<u8>(), 0..23)) {
        let bits: Vec<bool> =
            (0..8 * bytes.len()).map(|bit| bytes[bit / 8] & 0x80 >> (bit % 8) != 0).collect();
        let x = |n: usize, delay: usize| n.checked_sub(delay).is_some_and(|n| bits[n]);
        for rank in Rank::ALL {
            let mut convolved = bytes.clone();
            convolution::encode(rank, &mut convolved);
            for n in 0..bits.len() {
                let expected = match rank {
                    Rank::First => x(n, 0),
                    Rank::Second => x(n, 0) ^ x(n, 1) ^ x(n, 2),
                    Rank::Third => x(n, 0) ^ x(n, 2),
                };
                prop_assert_eq!(convolved[n / 8] & 0x80 >> (n % 8) != 0, expected);
            }
            convolution::decode(rank, &mut convolved);
            prop_assert_eq!(&convolved, &bytes);
        }
    }
}

/// The first byte of a header and the payload of a control container, behind a valid CRC.
fn control(first: u8, payload: &[u8]) -> Result<Container, FrameError> {
    let mut bytes = vec![0; LengthClass::Control.container_bytes() - 2];
    bytes[0] = first;
    bytes[6..][..payload.len()].copy_from_slice(payload);
    Container::check(LengthClass::Control, &with_crc(bytes))
}

#[test]
fn control_containers_must_make_sense() {
    assert!(control(0x40, &[0x08]).is_ok());
    assert!(control(0x00, &[0x09]).is_ok());
    assert_eq!(
        control(0x00, &[0x08]),
        Err(FrameError::ControlLength {
            code: 8,
            expected: 7,
            found: 8
        })
    );
    assert_eq!(
        control(0x40, &[0x09]),
        Err(FrameError::ControlLength {
            code: 9,
            expected: 8,
            found: 7
        })
    );
    assert_eq!(
        control(0x40, &[0x0b]),
        Err(FrameError::ControlCode { found: 0x0b })
    );
    assert_eq!(
        control(0x60, &[0x08]),
        Err(FrameError::BidirectionalControl)
    );
    assert_eq!(
        control(0x80, &[0x08]),
        Err(FrameError::LengthIndicator {
            class: LengthClass::Control,
            found: 2
        })
    );
}

#[test]
fn reserved_length_indicators_are_refused() {
    for (class, reserved) in [
        (LengthClass::EmptyOrBit, &[1][..]),
        (LengthClass::OneByte, &[1, 2, 3]),
        (LengthClass::TwoToFourBytes, &[3]),
        (LengthClass::FiveToEightBytes, &[]),
        (LengthClass::NineToTwelveBytes, &[]),
    ] {
        for found in 0..4 {
            let mut bytes = vec![0; class.container_bytes() - 2];
            bytes[0] = found << 6;
            let container = Container::check(class, &with_crc(bytes));
            let refused = Err(FrameError::LengthIndicator { class, found });
            assert_eq!(container.is_err(), reserved.contains(&found));
            assert!(container.is_ok() || container == refused);
        }
    }
}

#[test]
fn repeated_frames_have_no_meaning_yet() {
    let mut bytes = vec![0; 9];
    bytes[0] = 0x10;
    let container = Container::check(LengthClass::OneByte, &with_crc(bytes)).unwrap();
    assert!(container.repeated());
    assert_eq!(container.uplink(), Err(FrameError::RepeatedFrame));
}
