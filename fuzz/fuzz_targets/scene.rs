//! A scene in TOML, and the first samples of what it describes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nap_phy::scene::Scene;
use num_complex::Complex32;

/// Of random traffic this much is drawn: more takes time and tells nothing.
const MAX_MESSAGES: u32 = 50;

fuzz_target!(|text: &str| {
    let Ok(mut scene) = toml::from_str::<Scene>(text) else { return };
    if let Some(traffic) = &mut scene.traffic {
        traffic.messages = traffic.messages.min(MAX_MESSAGES);
    }
    let Ok((mut simulator, truth)) = scene.build() else { return };
    for frame in truth.messages.iter().flat_map(|message| &message.frames) {
        assert!((0.0..=scene.duration_s).contains(&frame.time_s));
    }
    let mut block = vec![Complex32::ZERO; 4096];
    simulator.render(&mut block);
});
