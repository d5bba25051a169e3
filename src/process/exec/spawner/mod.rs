//! Starts processes, each the leader of a process group that is killed with it.
#![expect(unsafe_code, reason = "code between fork and exec has no safe face")]

mod groups;
mod memory;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use memory::Members;

pub use groups::kill_groups;

/// The descriptor at which a child finds its socket.
pub(super) const SOCKET: i32 = 3;
/// Pause between two looks at a process that is about to end.
const LOOK: Duration = Duration::from_millis(2);

/// Starts processes from one thread that lives as long as this value: the kernel kills a process when the *thread*
/// that started it ends (`PR_SET_PDEATHSIG`).
#[derive(Debug)]
pub(super) struct Spawner {
    requests: Mutex<Sender<Request>>,
    groups: Groups,
    members: Mutex<Members>,
}

/// The process groups that run.
type Groups = Arc<Mutex<BTreeSet<i32>>>;

struct Request {
    command: Command,
    socket: Option<OwnedFd>,
    reply: Sender<io::Result<Child>>,
}

/// A process, and all that it starts and leaves in its group. Killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Pid,
    groups: Groups,
    is_killed: bool,
    status: Option<ExitStatus>,
}

impl Spawner {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's, if it gives no thread.
    pub(super) fn new() -> io::Result<Self> {
        let (requests, receive) = mpsc::channel::<Request>();
        std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            for Request { command, socket, reply } in receive {
                let _ = reply.send(spawn(command, socket));
            }
        })?;
        Ok(Self { requests: Mutex::new(requests), groups: Groups::default(), members: Mutex::default() })
    }

    /// Starts a process whose standard output and error are pipes; it finds this socket as descriptor [`SOCKET`].
    ///
    /// # Errors
    /// The system's: no such program, no right to run it, no room for a process.
    pub(super) fn start(&self, command: Command, socket: Option<OwnedFd>) -> io::Result<Process> {
        let (reply, started) = mpsc::channel();
        let gone = || io::Error::other("the thread that starts processes has ended");
        let request = Request { command, socket, reply };
        // In a variable: the lock must not be held while the process starts.
        let sent = self.requests.lock().unwrap_or_else(PoisonError::into_inner).send(request);
        sent.map_err(|_| gone())?;
        let child = started.recv().map_err(|_| gone())??;
        let group = Pid::from_child(&child);
        lock(&self.groups).insert(group.as_raw_pid());
        groups::enter(group);
        Ok(Process { child, group, groups: Arc::clone(&self.groups), is_killed: false, status: None })
    }

    /// Returns the resident memory in bytes of all processes that it has started, with their groups.
    pub(super) fn resident_bytes(&self) -> u64 {
        let groups = lock(&self.groups).clone();
        let members = self.members(&groups);
        groups.iter().map(|&group| members.resident_bytes(group)).sum()
    }

    /// Returns the resident memory in bytes of one of them, with its group.
    pub(super) fn group_bytes(&self, group: Pid) -> u64 {
        let groups = lock(&self.groups).clone();
        self.members(&groups).resident_bytes(group.as_raw_pid())
    }

    fn members(&self, groups: &BTreeSet<i32>) -> MutexGuard<'_, Members> {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.count(groups);
        members
    }

    /// Kills all process groups that run, for an engine that ends while threads still wait for them.
    pub(super) fn kill_all(&self) {
        for group in lock(&self.groups).iter().filter_map(|&group| Pid::from_raw(group)) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }
}

impl Process {
    /// Takes the pipes from its standard output and error.
    pub(super) fn take_output(&mut self) -> (Option<OwnedFd>, Option<OwnedFd>) {
        (self.child.stdout.take().map(Into::into), self.child.stderr.take().map(Into::into))
    }

    pub(super) fn group(&self) -> Pid {
        self.group
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the group to end.
    pub(super) fn terminate(&self) {
        let _ = rustix::process::kill_process_group(self.group, Signal::TERM);
    }

    /// Waits until the process has ended, at most this long; its group is not touched. Returns whether it has.
    pub(super) fn wait_for_end(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        loop {
            // Not reaped: until then the group's number stays its own.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let seen = rustix::process::waitid(WaitId::Pid(self.group), options);
            if !matches!(seen, Ok(None)) {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Kills the whole group and reaps the process. Returns how the process had ended, or none if this killed it.
    pub(super) fn end(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.is_killed = !self.wait_for_end(Duration::ZERO);
            let _ = rustix::process::kill_process_group(self.group, Signal::KILL);
            // Before it is reaped: then its number may become another one's.
            lock(&self.groups).remove(&self.group.as_raw_pid());
            groups::leave(self.group);
            // Uninterruptible sleep may keep a killed process for a while: that holds up this thread only.
            self.status = self.child.wait().ok();
        }
        self.status.filter(|_| !self.is_killed)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Returns how a process ended, in words.
pub(super) fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => format!("ended: {status}"),
    }
}

fn lock(groups: &Groups) -> MutexGuard<'_, BTreeSet<i32>> {
    groups.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn(mut command: Command, socket: Option<OwnedFd>) -> io::Result<Child> {
    // Were descriptor 3 free, the pipe through which the child reports that `exec` failed could take it.
    let _keep = File::open("/dev/null")?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let parent = std::process::id();
    let from = socket.as_ref().map(AsRawFd::as_raw_fd);
    // SAFETY: nothing in the closure allocates or locks.
    unsafe {
        command.pre_exec(move || {
            if let Some(from) = from {
                take_socket(from)?;
            }
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have ended before the signal was set.
            let lives = libc::getppid().unsigned_abs() == parent;
            if lives { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
        });
    }
    command.spawn()
}

/// Moves a descriptor to [`SOCKET`], where `exec` leaves it open.
fn take_socket(from: i32) -> io::Result<()> {
    // SAFETY: plain system calls on descriptors of the process that is about to be replaced.
    let moved = unsafe {
        if from == SOCKET { libc::fcntl(from, libc::F_SETFD, 0) } else { libc::dup2(from, SOCKET) }
    };
    if moved < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
