//! The socket to a child. It writes and reads without waiting for either, so that no child can block the engine by
//! answering before it has read all, or by reading late.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// The longest line of a child, in bytes.
pub(super) const LINE_MAX: usize = 64 << 20;
/// Bytes that are read at once.
const READ: usize = 64 << 10;
/// Parts that are written at once, of 1024 that the system takes.
const SLICES_MAX: usize = 128;
/// A buffer that has grown beyond this is given back once it is empty.
const KEEP: usize = 1 << 20;

/// The engine's end of the socket.
#[derive(Debug)]
pub(super) struct Channel {
    socket: UnixStream,
    /// Becomes readable when the child ends: what it has started may hold its socket open for longer.
    child: Option<OwnedFd>,
    received: Vec<u8>,
    /// Up to where `received` holds lines that were taken.
    taken: usize,
    /// Up to where it is known to have no line feed.
    searched: usize,
    has_ended: bool,
}

/// What is still to be written, in order.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    parts: VecDeque<Part>,
    /// Bytes of the first part that are written.
    written: usize,
}

/// A part of what is written.
#[derive(Debug)]
pub(super) enum Part {
    Message(Vec<u8>),
    /// A file's content, which is kept for another child if this one ends.
    Content(Arc<Vec<u8>>),
}

impl Outbox {
    pub(super) fn push(&mut self, part: Part) {
        // An empty one would never be written.
        if !part.bytes().is_empty() {
            self.parts.push_back(part);
        }
    }

    /// Returns what is next, for one call: a window of small files wakes the child once, and not for each of them.
    fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut parts = self.parts.iter().take(SLICES_MAX).map(Part::bytes);
        let first = parts.next().and_then(|first| first.get(self.written..));
        first.into_iter().chain(parts).map(IoSlice::new).collect()
    }

    /// Drops what was written.
    fn advance(&mut self, written: usize) {
        self.written += written;
        while let Some(length) = self.parts.front().map(|part| part.bytes().len())
            && length <= self.written
        {
            self.written -= length;
            self.parts.pop_front();
        }
    }
}

impl Part {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Message(bytes) => bytes,
            Self::Content(bytes) => bytes,
        }
    }
}

/// What waiting has led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    /// Something was read or written.
    Moved,
    /// The other end is closed, or the child has ended; all that came from it was read.
    Ended,
    /// The time is over.
    Late,
}

impl Channel {
    /// Creates a pair: the engine's end, and the child's.
    ///
    /// # Errors
    /// The system's, if it gives no descriptors.
    pub(super) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (socket, other) = UnixStream::pair()?;
        socket.set_nonblocking(true)?;
        let channel =
            Self { socket, child: None, received: Vec::new(), taken: 0, searched: 0, has_ended: false };
        Ok((channel, other.into()))
    }

    /// Notices the end of this process, too, where the system can tell it.
    pub(super) fn watch(&mut self, child: Pid) {
        self.child = pidfd_open(child, PidfdFlags::empty()).ok();
    }

    /// Writes and reads what can be at once; waits until something can, at most until then.
    ///
    /// # Errors
    /// The system's. That the other end is closed is none.
    pub(super) fn exchange(&mut self, out: &mut Outbox, until: Instant) -> io::Result<Woken> {
        if self.has_ended {
            return Ok(Woken::Ended);
        }
        let mut events = PollFlags::IN;
        events.set(PollFlags::OUT, !out.parts.is_empty());
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
        let socket = self.socket.as_fd();
        // Where the child can't be watched, the second place asks for nothing.
        let (child, end) = match &self.child {
            Some(child) => (child.as_fd(), PollFlags::IN),
            None => (socket, PollFlags::empty()),
        };
        let mut polled = [PollFd::from_borrowed_fd(socket, events), PollFd::from_borrowed_fd(child, end)];
        match poll(&mut polled, Some(&left)) {
            Ok(0) => return Ok(Woken::Late),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Woken::Moved),
            Err(error) => return Err(error.into()),
        }
        let [ready, child] = polled.map(|polled| polled.revents());
        if ready.contains(PollFlags::OUT) {
            self.write(out)?;
        }
        let child_has_ended = child.contains(PollFlags::IN);
        if child_has_ended || ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            let has_read = self.read()?;
            // What it said before its end is read first.
            self.has_ended |= child_has_ended && !has_read;
        }
        Ok(if self.has_ended { Woken::Ended } else { Woken::Moved })
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<()> {
        while !out.parts.is_empty() {
            let mut control = SendAncillaryBuffer::default();
            match sendmsg(&self.socket, &out.slices(), &mut control, SendFlags::NOSIGNAL) {
                Ok(0) => return Ok(()),
                Ok(written) => out.advance(written),
                Err(error) => {
                    let error = io::Error::from(error);
                    return match error.kind() {
                        ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(()),
                        // Nobody reads any more: answers may still be there to be read.
                        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => {
                            *out = Outbox::default();
                            Ok(())
                        }
                        _ => Err(error),
                    };
                }
            }
        }
        Ok(())
    }

    /// Reads what is there, if it is not too much for once. Returns whether there was something.
    fn read(&mut self) -> io::Result<bool> {
        let begin = self.received.len();
        self.received.resize(begin + READ, 0);
        let read = (&self.socket).read(self.received.get_mut(begin..).unwrap_or_default());
        self.received.truncate(begin + read.as_ref().copied().unwrap_or_default());
        match read {
            Ok(0) => self.has_ended = true,
            Ok(_) => return Ok(true),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted => {}
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => self.has_ended = true,
                _ => return Err(error),
            },
        }
        Ok(false)
    }

    /// Returns the next whole line without its line feed; none if there is none yet.
    ///
    /// # Errors
    /// What is wrong, in words, if it is longer than [`LINE_MAX`].
    pub(super) fn next_line(&mut self) -> Result<Option<&[u8]>, String> {
        let open = self.received.get(self.searched..).unwrap_or_default();
        let Some(at) = memchr::memchr(b'\n', open) else {
            self.searched = self.received.len();
            if self.searched - self.taken > LINE_MAX {
                return Err(format!("sent a line that is longer than {} MiB", LINE_MAX >> 20));
            }
            self.tidy();
            return Ok(None);
        };
        let begin = self.taken;
        let end = self.searched + at;
        self.taken = end + 1;
        self.searched = self.taken;
        Ok(self.received.get(begin..end))
    }

    /// Returns whether something was received that was not taken.
    pub(super) fn has_more(&self) -> bool {
        self.taken < self.received.len()
    }

    /// Drops all that was received.
    pub(super) fn forget(&mut self) {
        self.received.clear();
        (self.taken, self.searched) = (0, 0);
    }

    /// Drops the lines that were taken.
    fn tidy(&mut self) {
        self.received.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        if self.received.is_empty() {
            self.received.shrink_to(KEEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn both_sides_may_write_much_more_than_the_socket_holds_before_they_read() {
        let (mut channel, other) = Channel::pair().unwrap();
        const MUCH: usize = 8 << 20;
        let peer = std::thread::spawn(move || {
            let mut socket = UnixStream::from(other);
            let mut line = vec![b'a'; MUCH];
            line.push(b'\n');
            socket.write_all(&line).unwrap();
            let mut got = vec![0; MUCH];
            socket.read_exact(&mut got).unwrap();
            got.iter().all(|&byte| byte == b'b')
        });
        let content = vec![b'b'; MUCH];
        let mut out = Outbox::default();
        out.push(Part::Content(Arc::new(content)));
        let length = loop {
            assert_eq!(channel.exchange(&mut out, soon()).unwrap(), Woken::Moved);
            if let Some(line) = channel.next_line().unwrap() {
                break line.len();
            }
        };
        while !out.parts.is_empty() {
            channel.exchange(&mut out, soon()).unwrap();
        }
        assert!(length == MUCH && peer.join().unwrap());
    }

    #[test]
    fn what_was_sent_before_the_end_is_read_although_nothing_can_be_written_any_more() {
        let (mut channel, other) = Channel::pair().unwrap();
        let mut socket = UnixStream::from(other);
        socket.write_all(b"one\ntwo\nthr").unwrap();
        drop(socket);
        let mut out = Outbox::default();
        out.push(Part::Message(vec![0; 1000]));
        while channel.exchange(&mut out, soon()).unwrap() != Woken::Ended {}
        assert_eq!(channel.next_line().unwrap(), Some(&b"one"[..]));
        assert_eq!(channel.next_line().unwrap(), Some(&b"two"[..]));
        assert_eq!(channel.next_line().unwrap(), None);
        assert!(channel.has_more(), "half a line is left");
    }

    #[test]
    fn waiting_ends_at_its_time_and_an_endless_line_is_refused() {
        let (mut channel, other) = Channel::pair().unwrap();
        let mut out = Outbox::default();
        assert_eq!(channel.exchange(&mut out, Instant::now()).unwrap(), Woken::Late);
        let writer = std::thread::spawn(move || {
            let mut socket = UnixStream::from(other);
            while socket.write_all(&[b'x'; 1 << 16]).is_ok() {}
        });
        let refused = loop {
            channel.exchange(&mut out, soon()).unwrap();
            match channel.next_line() {
                Ok(line) => assert!(line.is_none()),
                Err(refused) => break refused,
            }
        };
        assert!(refused.contains("64 MiB"), "{refused}");
        drop(channel);
        writer.join().unwrap();
    }
}
