//! A radio's driver in a process of its own.
//!
//! Drivers hang, crash, and print to standard output. In a process of their own they can be killed, and
//! what they held is free again.

use std::process::{Command, Stdio};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::confinement::without_network;
use super::source::Soapy;
use crate::error::Error;
use crate::live::driver_program::DriverProgram;
use crate::live::source::{LiveSource, Opener};
use crate::live::sources::isolated::{Isolated, serve};
use crate::live::tuning::Tuning;

/// Which radio, and how it is to be set.
#[derive(Serialize, Deserialize)]
struct Request {
    arguments: String,
    tuning: Tuning,
}

/// Opens a radio in a process of its own.
pub(crate) fn isolated(arguments: &str, tuning: &Tuning, program: DriverProgram) -> Opener {
    let name = arguments.to_owned();
    let request = Request { arguments: name.clone(), tuning: tuning.clone() };
    // Numbers and texts cannot fail to be JSON.
    let request = serde_json::to_string(&request).unwrap_or_default();
    Arc::new(move |_| {
        let mut command = Command::new(&program.path);
        // What drivers chat of is not for the user, whom the supervisor tells what matters.
        command.args(&program.arguments).arg(&request).stderr(Stdio::null());
        let isolated = Isolated::start(command, &name)?;
        Ok(Box::new(isolated) as Box<dyn LiveSource>)
    })
}

/// Serves a radio to the process that has started this one, with the request and the address that it
/// has given; `has_network` says whether the driver may use the network.
///
/// # Errors
/// [`Error::Radio`] if the request cannot be read, [`Error::Io`] if nobody listens at the address (any
/// more).
pub fn drive(request: &str, address: &str, has_network: bool) -> Result<(), Error> {
    let request: Request = serde_json::from_str(request)
        .map_err(|error| Error::radio("the driver's process", format!("the request: {error}")))?;
    serve(address, || {
        if !has_network {
            without_network()?;
        }
        Ok(Box::new(Soapy::open(&request.arguments, &request.tuning)?))
    })
}
