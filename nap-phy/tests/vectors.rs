//! Frames that others made: the official end-point library's and a real device's.

mod common;

use common::{Vector, all_vectors, fields_of, published, uplinks, worked};
use nap_phy::{Authentication, Error, Frame, FrameError, Key, LengthClass, Rank, cbc_mac};

#[test]
fn all_vectors_are_there() {
    let count = |vectors: Vec<Vector>| {
        let frames: usize = vectors.iter().map(|vector| vector.frames().count()).sum();
        (vectors.len(), frames)
    };
    assert_eq!(count(uplinks()), (340, 1020));
    assert_eq!(count(worked()), (27, 75));
    assert_eq!(count(published()), (5, 9));
}

#[test]
fn every_frame_parses_to_its_fields_and_verifies() {
    for vector in all_vectors() {
        for (rank, bitstream) in vector.frames() {
            let frame = Frame::parse(&bitstream).unwrap();
            assert_eq!(frame.rank(), rank);
            let container = frame.container();
            assert_eq!(fields_of(&container.uplink().unwrap()), vector.fields);
            assert!(!container.repeated());
            assert_eq!(
                container.authenticate(&vector.key),
                Authentication::Verified
            );
            let wrong_key = Key::from_bytes([0x5a; Key::BYTES]);
            assert_eq!(container.authenticate(&wrong_key), Authentication::Failed);
        }
    }
}

#[test]
fn every_frame_encodes_bit_for_bit() {
    for vector in all_vectors() {
        let uplink = vector.uplink();
        for (rank, bitstream) in vector.frames() {
            assert_eq!(uplink.encode(rank, &vector.key)[..], bitstream);
        }
    }
}

/// Calls `check` with each frame of `vectors` with one bit wrong, for every bit; says how often.
fn for_each_wrong_bit(
    vectors: &[Vector],
    check: impl Fn(&Vector, Rank, Result<Frame, FrameError>),
) -> usize {
    let mut wrong_bits = 0;
    for vector in vectors {
        for (rank, mut bitstream) in vector.frames() {
            for bit in 0..8 * bitstream.len() {
                let mask = 0x80 >> (bit % 8);
                bitstream[bit / 8] ^= mask;
                check(vector, rank, Frame::parse(&bitstream));
                bitstream[bit / 8] ^= mask;
                wrong_bits += 1;
            }
        }
    }
    wrong_bits
}

#[test]
fn one_wrong_bit_never_verifies() {
    let wrong_bits = for_each_wrong_bit(&uplinks(), |vector, rank, frame| {
        // A CRC sees every single error; a convolved frame's error spreads and may slip through.
        assert!(frame.is_err() || rank != Rank::First);
        if let Ok(frame) = frame {
            let verdict = frame.container().authenticate(&vector.key);
            assert_eq!(verdict, Authentication::Failed);
        }
    });
    // 20 messages of each kind: 3 of 112 bits, 1 of 120, 3 of 144, 4 and 2 of 176, 4 of 208.
    assert_eq!(
        wrong_bits,
        20 * 3 * (3 * 112 + 120 + 3 * 144 + 6 * 176 + 4 * 208)
    );
}

/// Cipher blocks of the official library for device FEDCBA98 and the test key.
#[test]
fn cipher_blocks() {
    let key = "0123456789ABCDEF0123456789ABCDEF".parse().unwrap();
    for (data, block) in [
        ("012398badcfe", "8d3818010128cdf1aef6c854330454b2"),
        ("812398badcfe", "5365638ddd245564b3c3abccb935b11e"),
        ("c12398badcfe", "8d32eab847ceb69899ae1643e6bfe8dc"),
        ("012398badcfe40", "7e5fbd2c21912c38c7eefe6cb0d8153f"),
        ("812398badcfe4041", "5e52550d9492517a586bf604fc38e459"),
        ("412398badcfe404142", "32347d8c8f2123b2046ed0d8c06f1791"),
        ("012398badcfe40414243", "eeb971076a1b410accaa28ec12f3cd07"),
        ("c12398badcfe4041424344", "96d0e221e87c5c037b82d160a069a0cd"),
        (
            "812398badcfe404142434445",
            "3f028395d9c87fc315bda0d111d287ea",
        ),
        (
            "412398badcfe40414243444546",
            "5f7c08d538af22dd2a1bce87fd6ee9fc",
        ),
        (
            "012398badcfe4041424344454647",
            "4dc3671a853d609b0cc1dbd9b6a2c872",
        ),
        (
            "c12398badcfe404142434445464748",
            "13e2fc8f20c8aa708d8eddfc084382d2",
        ),
        (
            "812398badcfe40414243444546474849",
            "a508e86c089278fa63cadcdb49b11c2f",
        ),
        (
            "412398badcfe404142434445464748494a",
            "50676553c99d46f2bfe545afb357debe",
        ),
        (
            "012398badcfe404142434445464748494a4b",
            "e2091d1dccfb4d049766d4fcadca06f9",
        ),
        (
            "412398badcfe08e40cb80bfd00",
            "7fa1fc6dc56c26bd2e20da61a98b6943",
        ),
        (
            "012498badcfe09e40cb80bfd00ec",
            "0a3382055d1b7662d00e2c47f4576c05",
        ),
    ] {
        assert_eq!(
            hex::encode(cbc_mac(&key, &hex::decode(data).unwrap())),
            block
        );
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let parse = |digits: &str| Frame::parse(&hex::decode(digits).unwrap()).unwrap_err();
    assert_eq!(parse("aaaaa0"), FrameError::TooShort { found: 3 });
    assert_eq!(
        parse("aaaba06b012398badcfe8d3860d3"),
        FrameError::Preamble {
            expected: 0x5_5555,
            found: 0x5_555d
        }
    );
    assert_eq!(
        parse("aaaaa06a012398badcfe8d3860d3"),
        FrameError::FrameType { found: 0x006a }
    );
    let class = LengthClass::EmptyOrBit;
    assert_eq!(
        parse("aaaaa06b012398badcfe8d3860d300"),
        FrameError::ContainerLength {
            class,
            expected: 10,
            found: 11
        }
    );
    assert_eq!(
        parse("aaaaa06b012398badcfe8d3860d2"),
        FrameError::Crc {
            expected: 0x60d3,
            found: 0x60d2
        }
    );
    assert_eq!(
        Error::from(parse("aaaaa06b012398badcfe8d3860d2")).to_string(),
        "the CRC should be 60d3, found 60d2"
    );
}
