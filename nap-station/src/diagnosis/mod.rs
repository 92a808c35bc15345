//! What is right and wrong with a radio or a recording, and what to do about it.

mod examination;
mod findings;
mod room;
mod spectrum;

use std::time::Duration;

use nap_io::StreamInfo;
use nap_io::live::{FaultKind, LiveEvent, Source, Supervisor};
use nap_phy::ReceiverConfig;

use crate::error::Error;
use examination::Examination;

pub use findings::{Finding, Verdict};
pub use room::too_short;

/// How long to wait for what a source does next; it only says when to ask again.
const TICK: Duration = Duration::from_secs(1);

/// Listens to a source for `duration_s` seconds of signal, or until it ends, and says what it finds.
/// `configure` says what to listen to, given how the source is set; `progress` is told how many samples have
/// come.
///
/// # Errors
/// Those of `configure`, [`Error::Receiver`] for a channel that the receiver does not take,
/// [`Error::Spectrum`] where no spectrum can be measured, and [`Error::Refused`] where the source cannot be
/// what is asked of it. That the source fails is a finding.
pub fn diagnose<E: From<Error>>(
    source: &Source,
    duration_s: f64,
    configure: impl Fn(&StreamInfo) -> Result<ReceiverConfig, E>,
    mut progress: impl FnMut(u64),
) -> Result<Vec<Finding>, E> {
    let mut supervisor = Supervisor::new(source.opener.clone(), source.policy);
    let mut examination: Option<Examination> = None;
    let mut findings = Vec::new();
    loop {
        match supervisor.next(TICK) {
            Some(LiveEvent::Started(info)) => {
                examination = Some(Examination::new(source, &info, configure(&info)?)?);
            }
            Some(LiveEvent::Block(block)) => {
                let Some(examination) = &mut examination else { continue };
                examination.take(&block);
                progress(examination.samples());
                if examination.duration_s() >= duration_s {
                    break;
                }
            }
            Some(LiveEvent::Fault(fault)) if fault.kind == FaultKind::Refused => {
                let (name, problem) = (source.name.clone(), fault.text);
                return Err(Error::Refused { name, problem }.into());
            }
            Some(LiveEvent::Fault(fault)) => findings.push(findings::of_fault(&fault, source.kind)),
            Some(LiveEvent::Ended) => break,
            Some(LiveEvent::Recovered(_)) | None => {}
        }
    }
    // Of nothing nothing can be said but why there is none.
    if let Some(examination) = examination.filter(|examination| examination.samples() > 0) {
        findings.extend(findings::of(&examination.finish()));
    }
    Ok(findings)
}
