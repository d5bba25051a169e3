use super::*;

/// A reader whose every second read is interrupted by a signal.
struct Interrupted<'a>(&'a [u8], bool);

impl Read for Interrupted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 { Err(io::ErrorKind::Interrupted.into()) } else { self.0.read(&mut buffer[..2]) }
    }
}

#[test]
fn a_read_that_a_signal_has_cut_short_is_made_again() {
    assert_eq!(sum_of(Interrupted(b"12345", false)).unwrap(), (5, crc32fast::hash(b"12345")));
}
