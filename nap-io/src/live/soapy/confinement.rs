//! A driver's process without network: a driver is other people's code, and one on USB needs none.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use crate::error::Error;

/// The numbers of the system calls, by the kernel's tables.
const SOCKET: i64 = if cfg!(target_arch = "x86_64") { 41 } else { 198 };
/// It makes sockets, too.
const IO_URING_SETUP: i64 = 425;
/// Families of sockets that stay in this computer: for messages of the kernel about USB, and for local services.
const LOCAL: [u64; 2] = [1, 16];
const EPERM: u32 = 1;

/// From now on this thread, and those that it starts, make no sockets of the network; what is open stays open. On
/// processors of which the kernel's numbers are not known here (32 bits), nothing changes.
///
/// # Errors
/// [`Error::Radio`] if the kernel does not take the filter.
pub fn without_network() -> Result<(), Error> {
    let Ok(arch) = TargetArch::try_from(ARCH) else { return Ok(()) };
    let refused = |error: &dyn std::fmt::Display| {
        Error::radio("the driver's process", format!("it cannot be kept from the network: {error}"))
    };
    let program = program(arch).map_err(|error| refused(&error))?;
    apply_filter(&program).map_err(|error| refused(&error))
}

fn program(arch: TargetArch) -> Result<BpfProgram, seccompiler::BackendError> {
    let is_other =
        |family| SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family);
    let conditions = LOCAL.into_iter().map(is_other).collect::<Result<Vec<_>, _>>()?;
    let rules = BTreeMap::from([
        (SOCKET, vec![SeccompRule::new(conditions)?]),
        (IO_URING_SETUP, Vec::new()),
    ]);
    SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(EPERM), arch)?.try_into()
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::*;

    #[test]
    fn a_driver_without_network_has_local_sockets_alone() {
        let in_thread = thread::spawn(|| {
            without_network().unwrap();
            let refused = [
                TcpListener::bind("127.0.0.1:0").unwrap_err().kind(),
                UdpSocket::bind("[::1]:0").unwrap_err().kind(),
            ];
            (refused, UnixStream::pair().is_ok())
        });
        let (refused, has_local) = in_thread.join().unwrap();
        assert_eq!(refused, [ErrorKind::PermissionDenied; 2]);
        assert!(has_local);
        // Other threads keep it.
        TcpListener::bind("127.0.0.1:0").unwrap();
    }
}
