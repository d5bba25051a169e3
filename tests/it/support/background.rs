//! Processes that go on while a test does something else.

use std::io::Read;
use std::process::{Child, Command, Stdio};

use super::Ran;

/// A process in the background, killed when it is dropped.
pub(crate) struct Background(Option<Child>);

impl Background {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    /// The first line on stderr that begins so, without that; what came before it is gone.
    #[track_caller]
    pub(crate) fn says(&mut self, begin: &str) -> String {
        let stderr = self.0.as_mut().unwrap().stderr.as_mut().unwrap();
        let mut told = String::new();
        loop {
            // Byte by byte: what comes behind the line is still to be read.
            let (mut line, mut byte) = (Vec::new(), [0]);
            while byte[0] != b'\n' {
                assert_eq!(stderr.read(&mut byte).unwrap(), 1, "it never said {begin:?}: {told}");
                line.push(byte[0]);
            }
            let line = String::from_utf8(line).unwrap();
            match line.strip_prefix(begin) {
                Some(rest) => return rest.trim_end().to_owned(),
                None => told += &line,
            }
        }
    }

    pub(crate) fn child(&self) -> &Child {
        self.0.as_ref().unwrap()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(self.child()), signal).unwrap();
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    pub(crate) fn end(mut self) -> Ran {
        self.0.take().unwrap().wait_with_output().unwrap().into()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
