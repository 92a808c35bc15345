//! The thread that writes.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::station::clock::now;
use crate::station::keeper::{Command, Committed, Keeper};
use crate::station::remark::{Remark, Say};

/// Rows may share a commit, but wait for it no longer than so.
const LONGEST_WAIT: Duration = Duration::from_millis(50);
/// What is to happen by the clock is looked at so often.
const TICK: Duration = Duration::from_secs(1);

/// Starts the thread; it ends, with all written, when nobody can ask it for anything any more.
pub fn start(keeper: Keeper, commands: Receiver<Command>, is_live: bool, say: Say) -> JoinHandle<()> {
    thread::spawn(move || run(keeper, &commands, is_live, &say))
}

fn run(mut keeper: Keeper, commands: &Receiver<Command>, is_live: bool, say: &Say) {
    loop {
        let is_over = match commands.recv_timeout(TICK) {
            Ok(command) => {
                keeper.command(command, now());
                collect(&mut keeper, commands);
                false
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => true,
        };
        if is_live {
            keeper.release(now());
        }
        match keeper.commit() {
            Committed::Failed(error) => say.say(Remark::NotStored(error)),
            Committed::Recovered => say.say(Remark::StoredAgain),
            Committed::Done | Committed::StillFailing => {}
        }
        if is_over {
            return;
        }
    }
}

/// Takes what else is there already, for the same commit.
fn collect(keeper: &mut Keeper, commands: &Receiver<Command>) {
    let start = Instant::now();
    while start.elapsed() < LONGEST_WAIT {
        let Ok(command) = commands.try_recv() else { break };
        keeper.command(command, now());
    }
}
