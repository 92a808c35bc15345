//! A coarse grid of the receiver's sensitivity, held against a committed table: a change that costs
//! or gains messages shows.

use clap::Parser;
use nap_benches::scenarios::{Disturbance, Pairs};
use nap_benches::{Conditions, Impairments, LossArgs, measure};
use nap_phy::scene::Shape;
use nap_phy::{BitRate, Rank};

/// Messages heard of those sent, for each row of conditions. Seeds are fixed, so the counts only
/// move when the receiver or the simulator does.
#[test]
fn the_table_of_sensitivity_stands() {
    let base = Conditions::new;
    let rows = [
        ("one frame, 100 bit/s", base(BitRate::Bps100, 0.0, Rank::First), [4.0, 6.0]),
        ("three frames, 100 bit/s", base(BitRate::Bps100, 0.0, Rank::Third), [1.0, 3.0]),
        ("one frame, 600 bit/s", base(BitRate::Bps600, 0.0, Rank::First), [4.0, 6.0]),
        (
            "one frame, drift up to 50 Hz/s",
            Conditions { max_drift_hz_per_s: 50.0, ..base(BitRate::Bps100, 0.0, Rank::First) },
            [5.0, 8.0],
        ),
        (
            "one frame, S2-LP",
            Conditions { shape: Shape::S2lp, ..base(BitRate::Bps100, 0.0, Rank::First) },
            [5.0, 8.0],
        ),
    ];
    let mut table = String::new();
    for (name, conditions, levels_db) in rows {
        for eb_over_n0_db in levels_db {
            let conditions = Conditions { eb_over_n0_db, ..conditions };
            let outcome = measure(&conditions, &Impairments::default(), 50, 2).unwrap();
            let counts = outcome.messages;
            assert_eq!(
                (counts.false_positives, counts.repeated),
                (0, 0),
                "{name} at {eb_over_n0_db} dB"
            );
            table += &format!(
                "{name:32} {eb_over_n0_db:4.1} dB  heard {:3} of {}\n",
                counts.heard, counts.sent
            );
        }
    }
    insta::assert_snapshot!(table);
}

/// The same with carriers and clocks as they are: each row has the flags of the `loss` program.
#[test]
fn the_table_of_real_carriers_stands() {
    let rows = [
        "--frames 3 --eb-over-n0 2 --wobble 5@1",
        "--frames 1 --eb-over-n0 10 --wobble 10@3",
        "--frames 1 --eb-over-n0 20 --settle 60@0.1",
        "--frames 3 --eb-over-n0 2.5 --walk 5",
        "--frames 3 --eb-over-n0 8 --doppler 1",
        "--frames 3 --eb-over-n0 30 --doppler 3",
        "--frames 1 --eb-over-n0 10 --bit-rate-error-up-to 0.01",
        "--frames 1 --eb-over-n0 6 --bit-rate-error-up-to 0.01",
        "--frames 3 --eb-over-n0 3 --bit-rate-error-up-to 0.01",
        "--frames 3 --eb-over-n0 3 --rotation 0.6",
    ];
    let mut table = String::new();
    for row in rows {
        let flags = LossArgs::parse_from(std::iter::once("loss").chain(row.split(' ')));
        let conditions = flags.conditions(flags.eb_over_n0[0]).unwrap();
        let counts = measure(&conditions, &flags.impairments, 40, 2).unwrap().messages;
        assert_eq!((counts.false_positives, counts.repeated), (0, 0), "{row}");
        table += &format!("{row:56}  heard {:3} of {}\n", counts.heard, counts.sent);
    }
    insta::assert_snapshot!(table);
}

/// The same where signals meet: weak devices beside strong ones, two on one carrier, LoRa.
#[test]
fn the_table_of_disturbed_channels_stands() {
    let last = Rank::Third;
    let none = &Impairments::default();
    let rows = [
        (
            "20 dB beside, three frames",
            Pairs { level_difference_db: 20.0, ..Pairs::near_far(last) }.tally(20, 2, none),
        ),
        ("30 dB beside, three frames", Pairs::near_far(last).tally(20, 2, none)),
        ("30 dB beside, one frame", Pairs::near_far(Rank::First).tally(20, 2, none)),
        (
            "38 dB beside, one frame",
            Pairs { level_difference_db: 38.0, ..Pairs::near_far(Rank::First) }.tally(40, 2, none),
        ),
        ("on one carrier, three frames", Pairs::co_channel(last).tally(20, 2, none)),
        ("on one carrier, one frame", Pairs::co_channel(Rank::First).tally(20, 2, none)),
        ("FSK, three frames", Disturbance::fsk().tally(last, 30, 2, none)),
        ("LoRa, one frame", Disturbance::lora().tally(Rank::First, 30, 2, none)),
    ];
    let mut table = String::new();
    for (name, tally) in rows {
        let tally = tally.unwrap();
        for part in tally.parts {
            let what = format!("{name}, {}", part.name);
            table += &format!("{what:36} heard {:3} of {}\n", part.heard, part.sent);
        }
        table += &format!(
            "    false positives {}, repeated {}\n",
            tally.false_positives, tally.repeated
        );
    }
    insta::assert_snapshot!(table);
}
