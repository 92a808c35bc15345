//! The samples of a WAV file that comes through a pipe.

use std::io::{self, Cursor, Read};

use super::extent::is_chunk_name;

/// Gives out the samples: as many bytes as the header tells, and all that follow unless they are another
/// chunk.
pub(super) struct PipeBody<R> {
    pipe: R,
    /// Bytes up to where the header says that the samples end.
    left: u64,
    state: State,
}

enum State {
    Described,
    /// Beyond what the header describes: these bytes were looked at before.
    Beyond(Cursor<Vec<u8>>),
    Ended,
}

impl<R: Read> PipeBody<R> {
    pub(super) fn new(pipe: R, described: u64) -> Self {
        Self { pipe, left: described, state: State::Described }
    }

    /// Looks at what follows the samples.
    fn look_beyond(&mut self) -> io::Result<State> {
        let mut head = [0; 8];
        let mut filled = 0;
        while filled < head.len() {
            match self.pipe.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let [a, b, c, d, ..] = head;
        let is_chunk = filled == head.len() && is_chunk_name(&[a, b, c, d]);
        // A few zeros fill the file up.
        let is_end =
            is_chunk || head[..filled].iter().all(|&byte| byte == 0) && filled < head.len();
        let beyond = Cursor::new(head[..filled].to_vec());
        Ok(if is_end { State::Ended } else { State::Beyond(beyond) })
    }
}

impl<R: Read> Read for PipeBody<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if matches!(self.state, State::Described) && self.left > 0 {
            let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let count = self.pipe.read(&mut buffer[..most])?;
            self.left -= count as u64;
            return Ok(count);
        }
        if matches!(self.state, State::Described) {
            self.state = self.look_beyond()?;
        }
        match &mut self.state {
            State::Described | State::Ended => Ok(0),
            State::Beyond(looked_at) => match looked_at.read(buffer)? {
                0 => self.pipe.read(buffer),
                count => Ok(count),
            },
        }
    }
}
