//! Recordings of other systems, of which nothing may be reported.

use std::path::PathBuf;

use nap_benches::{ForeignAir, Relabelling, receive_foreign_air};

/// Noise, remote controls, sensors and meters, as they are and at two other rates, which are some minutes
/// of air. `foreign_air` looks at them in more ways. The recordings' licence is not known: the test runs where
/// `NAP_LOCAL_RECORDINGS` names a folder that has them.
#[test]
fn nothing_is_heard_in_the_air_of_others() {
    let folder = std::env::var_os("NAP_LOCAL_RECORDINGS").map(PathBuf::from);
    let folder = folder.map(|folder| folder.join("real_air"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("real_air is not here: set NAP_LOCAL_RECORDINGS to the folder that holds it");
        return;
    };
    let air = ForeignAir::in_folder(&folder).unwrap();
    assert!(!air.is_empty(), "{}: no recordings", folder.display());
    let findings = receive_foreign_air(&air, &Relabelling::all(2), 1.0).unwrap();
    println!("{:.0} s of air", findings.air_s);
    assert!(findings.air_s > 10.0);
    assert!(findings.messages.is_empty(), "{:?}", findings.messages);
}
