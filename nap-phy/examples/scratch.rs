#![allow(missing_docs, warnings)]
use nap_phy::receiver::*;
use nap_phy::*;
use num_complex::Complex32;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let meta = std::fs::read_to_string(format!("{path}.sigmf-meta")).unwrap();
    let data = std::fs::read(format!("{path}.sigmf-data")).unwrap();
    let truth: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{path}.truth.json")).unwrap())
            .unwrap();
    let x: Vec<Complex32> = if meta.contains("ci16") {
        data.chunks_exact(4)
            .map(|c| {
                Complex32::new(
                    i16::from_le_bytes([c[0], c[1]]) as f32 / 32768.,
                    i16::from_le_bytes([c[2], c[3]]) as f32 / 32768.,
                )
            })
            .collect()
    } else {
        data.chunks_exact(2)
            .map(|c| Complex32::new(c[0] as i8 as f32 / 128., c[1] as i8 as f32 / 128.))
            .collect()
    };
    let mut c = ReceiverConfig::new(250e3, truth["center_hz"].as_f64().unwrap());
    c.full_scale_dbm = truth["full_scale_dbm"].as_f64();
    for m in truth["messages"].as_array().unwrap() {
        let mut d = Device::new(m["device_id"].as_str().unwrap().parse().unwrap());
        d.key = Some(m["key"].as_str().unwrap().parse().unwrap());
        let _ = c.devices.insert(d);
    }
    let nf = truth["noise_figure_db"].as_f64().unwrap();
    let t0 = std::time::Instant::now();
    let mut r = Receiver::new(c).unwrap();
    let mut ev = r.push(&x);
    ev.extend(r.flush());
    let el = t0.elapsed();
    for e in ev {
        if let Event::Complete(m) = e {
            println!(
                "{:?} {:?} {} frames {}",
                m.uplink.content(),
                m.authentication,
                m.uplink.device_id(),
                m.frames.len()
            );
            let tm = truth["messages"].as_array().unwrap().iter().find(|t| {
                t["device_id"] == m.uplink.device_id().to_string()
                    && t["sequence_number"].as_u64()
                        == Some(m.uplink.sequence_number().value() as u64)
            });
            let Some(tm) = tm else {
                println!("  FALSE");
                continue;
            };
            for f in &m.frames {
                let Level::Dbm(l) = f.signal.level else { panic!() };
                let tf = tm["frames"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|t| t["rank"].as_u64() == Some(f.rank.number() as u64))
                    .unwrap();
                let g = |k: &str| tf[k].as_f64().unwrap_or(0.0);
                let snr = g("dbm") + 174.0 - nf - 10.0 * (u16::from(m.bit_rate) as f64).log10();
                println!(
                    "  rank {} {:6} dt {:+.4} s  df(start) {:+.2} Hz level {:+.2} dB (true {}) snr {:+.2} dB (true {snr:.1}) drift {:+.2} ({})",
                    f.rank,
                    tf["shape"].as_str().unwrap_or("?"),
                    f.signal.time_s - g("time_s"),
                    f.signal.frequency_hz - g("frequency_hz"),
                    l - g("dbm"),
                    g("dbm"),
                    f.signal.snr_db - snr,
                    f.signal.drift_hz_per_s - g("drift_hz_per_s"),
                    g("drift_hz_per_s")
                );
            }
        }
    }
    println!(
        "{} s in {:?}: {:?}; true messages {}",
        x.len() as f64 / 250e3,
        el,
        r.statistics(),
        truth["messages"].as_array().unwrap().len()
    );
}
