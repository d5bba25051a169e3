//! Which files a worker asks for before it reads them.
//!
//! It asks only if reading has waited: for files in memory, asking would take a fifth of the time that they take.
//! Where asking itself waits, as each `open` does on a network, threads help and asking does not.

use crate::model::DiscoveredFile;
use crate::source::Ahead;

/// Files that are asked for ahead of the one that is read. They are asked for in halves.
const FILES: usize = 32;
/// Bytes ahead, at most.
const BYTES: u64 = 8 << 20;
/// A larger file is not asked for: the kernel reads ahead in it by itself.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// After so many files in a row that were in memory, asking ends.
const IN_MEMORY_MAX: usize = 2 * FILES;
/// After so many waits for asking in a row, it ends.
const WAITS_MAX: u32 = 2;

/// The files that a worker asks for ahead, and whether it does.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    mode: Mode,
    /// Place in the batch up to which files were asked for.
    asked: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Reading does not wait.
    #[default]
    Off,
    On {
        in_memory: usize,
        waits: u32,
    },
    /// Asking itself waits.
    Useless,
}

impl ReadAhead {
    /// Notes that a task begins at this place.
    pub(super) fn begin(&mut self, place: usize) {
        self.asked = place;
    }

    /// Asks for the files behind the one at `place`, when it is time to. `ask` returns whether it had to wait.
    pub(super) fn ask(
        &mut self,
        place: usize,
        files: &[DiscoveredFile],
        mut ask: impl FnMut(&DiscoveredFile, bool) -> (Ahead, bool),
    ) {
        let Mode::On { mut in_memory, mut waits } = self.mode else { return };
        self.asked = self.asked.max(place + 1);
        if self.asked > place + 1 + FILES / 2 {
            return;
        }
        let ahead = files.get(self.asked..files.len().min(place + 1 + FILES)).unwrap_or_default();
        let mut bytes = 0;
        let mut is_first = true;
        for file in ahead {
            let size = file.fingerprint.size;
            bytes += size;
            if bytes > BYTES {
                break;
            }
            self.asked += 1;
            if size > FILE_BYTES_MAX {
                continue;
            }
            let (found, has_waited) = ask(file, is_first);
            match found {
                Ahead::Asked => in_memory = 0,
                Ahead::InMemory => in_memory += 1,
                Ahead::Unopened | Ahead::Unable => (),
            }
            // A file that can't be opened says nothing about the others: threads do not help a process that is out of
            // descriptors.
            if is_first && (has_waited || found != Ahead::Unopened) {
                // A source that can't be asked is one whose reads wait.
                let is_slow = has_waited || found == Ahead::Unable;
                waits = if is_slow { waits + 1 } else { 0 };
                if is_slow {
                    break;
                }
                is_first = false;
            }
        }
        self.mode = match () {
            () if waits >= WAITS_MAX => Mode::Useless,
            () if in_memory >= IN_MEMORY_MAX => Mode::Off,
            () => Mode::On { in_memory, waits },
        };
    }

    /// Notes whether reading a measured file has waited. Returns whether more threads would help.
    pub(super) fn note(&mut self, has_waited: bool) -> bool {
        match (self.mode, has_waited) {
            (Mode::Off, true) => self.mode = Mode::On { in_memory: 0, waits: 0 },
            (Mode::Useless, false) => self.mode = Mode::Off,
            _ => (),
        }
        self.mode == Mode::Useless
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileKey, Fingerprint, RootId};

    const ASKED: (Ahead, bool) = (Ahead::Asked, false);

    fn files(count: usize, size: u64) -> Vec<DiscoveredFile> {
        let file = |number: usize| DiscoveredFile {
            key: FileKey::from_relative_path(RootId(1), format!("f{number}").as_bytes()).unwrap(),
            fingerprint: Fingerprint { size, ..Fingerprint::default() },
            attempts: 0,
            recorded: None,
        };
        (0..count).map(file).collect()
    }

    /// Returns the files that are asked for at each place of a task of these.
    fn asked(ahead: &mut ReadAhead, files: &[DiscoveredFile], (found, waits): (Ahead, bool)) -> Vec<usize> {
        ahead.begin(0);
        let at = |place| {
            let mut asked = 0;
            ahead.ask(place, files, |_, is_measured| {
                asked += 1;
                (found, waits && is_measured)
            });
            asked
        };
        (0..files.len()).map(at).collect()
    }

    fn on() -> ReadAhead {
        let mut ahead = ReadAhead::default();
        assert!(!ahead.note(true), "asking comes before threads");
        ahead
    }

    #[test]
    fn nothing_is_asked_for_while_reading_does_not_wait() {
        let mut ahead = ReadAhead::default();
        assert!(!ahead.note(false));
        assert_eq!(asked(&mut ahead, &files(100, 9), ASKED).iter().sum::<usize>(), 0);
    }

    #[test]
    fn each_file_but_the_first_is_asked_for_once_and_in_halves() {
        let asked = asked(&mut on(), &files(100, 9), ASKED);
        assert_eq!(asked.iter().sum::<usize>(), 99);
        assert_eq!(asked[..20], [&[32][..], &[0; 15], &[16], &[0; 3]].concat());
    }

    #[test]
    fn a_large_file_is_left_out_and_many_bytes_are_not_asked_for_at_once() {
        assert_eq!(asked(&mut on(), &files(9, FILE_BYTES_MAX + 1), ASKED).iter().sum::<usize>(), 0);
        assert_eq!(asked(&mut on(), &files(40, FILE_BYTES_MAX), ASKED)[0] as u64, BYTES / FILE_BYTES_MAX);
    }

    #[test]
    fn asking_ends_where_all_is_in_memory_and_begins_again_where_reading_waits() {
        let mut ahead = on();
        let first = asked(&mut ahead, &files(500, 9), (Ahead::InMemory, false));
        assert_eq!(first.iter().sum::<usize>(), IN_MEMORY_MAX);
        assert!(!ahead.note(true));
        assert_eq!(asked(&mut ahead, &files(100, 9), ASKED).iter().sum::<usize>(), 99);
    }

    #[test]
    fn files_that_cannot_be_opened_are_no_reason_for_more_threads() {
        let mut ahead = on();
        let asked = asked(&mut ahead, &files(100, 9), (Ahead::Unopened, false));
        assert_eq!(asked.iter().sum::<usize>(), 99);
        assert!(!ahead.note(true));
    }

    #[test]
    fn where_asking_waits_or_nothing_can_be_asked_more_threads_are_what_helps() {
        for answer in [(Ahead::Asked, true), (Ahead::Unable, false)] {
            let mut ahead = on();
            assert_eq!(asked(&mut ahead, &files(500, 9), answer).iter().sum::<usize>(), WAITS_MAX as usize);
            assert!(ahead.note(true));
            assert!(!ahead.note(false), "until reading does not wait any more");
        }
    }
}
