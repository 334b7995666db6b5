//! Processes: who one is, its end by kernel event, signals that cannot hit another one.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::unix::AsyncFd;

use super::system;

/// How often a process is looked at when the kernel offers no event for its end.
const POLL: Duration = Duration::from_millis(250);

/// How old the process table may be for [`tree_lately`]. To read it costs about 10 µs for each process on the machine.
const TABLE_AGE: Duration = Duration::from_secs(30);

/// A pid and the start stamp of its process. A pid alone may name another process a moment later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProcessKey {
    /// Process id.
    pub pid: u32,
    /// The kernel's start stamp. Linux: clock ticks since boot. macOS: microseconds, fixed at the process's start.
    /// Neither moves when the wall clock is set. Opaque: only equality means something.
    pub started: u64,
}

/// A process that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Who it is.
    pub key: ProcessKey,
    /// Its argument list, or its title if it has overwritten that; empty where the system does not tell.
    pub argv: Vec<String>,
    /// How long it has been running.
    pub age: Duration,
    /// Effective user id.
    pub uid: u32,
}

impl ProcessInfo {
    /// The command line, for people to read.
    #[must_use]
    pub fn command(&self) -> String {
        self.argv.join(" ")
    }
}

/// One row of the process table; the fields of a row belong together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) key: ProcessKey,
    pub(super) parent: u32,
    pub(super) session: Option<u32>,
    /// A zombie: it has ended, and its parent has not asked how.
    pub(super) dead: bool,
}

/// Looks a pid up; `None` if nothing runs under it. A zombie does not run.
#[must_use]
pub fn identify(pid: u32) -> Option<ProcessInfo> {
    let row = system::row(pid).filter(|row| !row.dead)?;
    let argv = system::argv(pid);
    let info = ProcessInfo { key: row.key, argv, age: system::age(&row.key)?, uid: system::uid(pid)? };
    // Each line above asks the kernel anew, and the pid may have changed hands in between.
    is_running(info.key).then_some(info)
}

/// Whether exactly this process still runs.
#[must_use]
pub fn is_running(key: ProcessKey) -> bool {
    system::row(key.pid).is_some_and(|row| row.key == key && !row.dead)
}

/// Whether the system still lists exactly this process, running or as a zombie.
#[must_use]
pub fn is_listed(key: ProcessKey) -> bool {
    system::row(key.pid).is_some_and(|row| row.key == key)
}

/// The key of a child that nobody has waited for yet: its pid cannot have changed hands, even if it has ended.
#[must_use]
pub fn key_of_own_child(pid: u32) -> Option<ProcessKey> {
    system::row(pid).map(|row| row.key)
}

/// The user that Lifeguard runs as.
#[must_use]
pub fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// A process's working folder; `None` where the system does not tell.
#[must_use]
pub fn working_dir(key: ProcessKey) -> Option<PathBuf> {
    system::working_dir(key.pid).filter(|_| is_running(key))
}

/// The environment that a process was started with; `None` where the system does not tell.
#[must_use]
pub fn environment(key: ProcessKey) -> Option<Vec<(String, String)>> {
    system::environment(key.pid).filter(|_| is_running(key))
}

/// The descendants of a process, without itself; if it leads a session, also every other process of that
/// session. Reads the whole process table: about 10 µs for each process on the machine.
#[must_use]
pub fn tree(root: ProcessKey) -> Vec<ProcessKey> {
    descendants(root, &read_table())
}

/// [`tree`] as it was at most 30 s ago: for amounts that are measured again and again, over any number of
/// gateways. Who belongs to it since then is missing, and who is in it may have ended.
#[must_use]
pub fn tree_lately(root: ProcessKey) -> Vec<ProcessKey> {
    static TABLE: Mutex<Option<(Instant, Arc<[Row]>)>> = Mutex::new(None);
    let rows = {
        let mut table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
        match table.as_ref().filter(|(read, _)| read.elapsed() < TABLE_AGE) {
            Some((_, rows)) => Arc::clone(rows),
            None => Arc::clone(&table.insert((Instant::now(), read_table().into())).1),
        }
    };
    descendants(root, &rows)
}

/// Every process that runs.
fn read_table() -> Vec<Row> {
    system::pids().into_iter().filter_map(system::row).filter(|row| !row.dead).collect()
}

fn descendants(root: ProcessKey, rows: &[Row]) -> Vec<ProcessKey> {
    let mut members = HashSet::from([root.pid]);
    let mut found = Vec::new();
    loop {
        let before = found.len();
        for row in rows {
            // A child never starts before its parent: one that did belongs to an earlier owner of the pid.
            if row.key.started >= root.started
                && !members.contains(&row.key.pid)
                && (members.contains(&row.parent) || row.session == Some(root.pid))
            {
                members.insert(row.key.pid);
                found.push(row.key);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// The processes of a user, each by its pid and with its argument list. Reads the whole process table.
#[must_use]
pub fn arguments_of_user(uid: u32) -> Vec<(u32, Vec<String>)> {
    let pids = system::pids().into_iter().filter(|pid| system::uid(*pid) == Some(uid));
    pids.map(|pid| (pid, system::argv(pid))).collect()
}

/// The processes of a user. Reads the whole process table.
#[must_use]
pub fn of_user(uid: u32) -> Vec<ProcessInfo> {
    system::pids().into_iter().filter(|pid| system::uid(*pid) == Some(uid)).filter_map(identify).collect()
}

/// Resident memory of a process, in bytes.
#[must_use]
pub fn resident(key: ProcessKey) -> Option<u64> {
    system::resident(key.pid).filter(|_| is_running(key))
}

/// Processor time that a process has used since it started, over all its threads; `None` where the system does not tell.
#[must_use]
pub fn processor_time(key: ProcessKey) -> Option<Duration> {
    system::processor_time(key.pid).filter(|_| is_running(key))
}

/// How many files a process has open, sockets included; `None` where the system does not tell.
#[must_use]
pub fn open_files(key: ProcessKey) -> Option<u64> {
    system::open_files(key.pid).filter(|_| is_running(key))
}

/// The signals that Lifeguard ever sends. SIGUSR1 and SIGUSR2 are not among them: their meaning changed between
/// OpenClaw's versions, up to opening a debugger (gateway.md, fact 1). The last two are for drills alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: please stop.
    Terminate,
    /// SIGKILL: stop at once.
    Kill,
    /// SIGSTOP: stand still.
    Freeze,
    /// SIGCONT: go on.
    Thaw,
}

impl Signal {
    pub(super) fn raw(self) -> rustix::process::Signal {
        match self {
            Self::Terminate => rustix::process::Signal::TERM,
            Self::Kill => rustix::process::Signal::KILL,
            Self::Freeze => rustix::process::Signal::STOP,
            Self::Thaw => rustix::process::Signal::CONT,
        }
    }
}

/// Why a signal was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// The process has ended; its pid may belong to another one by now.
    #[error("process {0} has ended; nothing was signalled")]
    Gone(u32),
    /// The system refused.
    #[error("the system refused to signal process {pid}: {source}; check that it runs as the same user as Lifeguard")]
    Refused {
        /// Process id.
        pid: u32,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Sends a signal to exactly this process, or to none.
pub fn signal(key: ProcessKey, signal: Signal) -> Result<(), SignalError> {
    // Pid 0 and 1 as a target mean a group and the whole machine.
    let pid = system_pid(key.pid).filter(|_| key.pid > 1).ok_or(SignalError::Gone(key.pid))?;
    match system::signal(key, pid, signal) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::SRCH) => Err(SignalError::Gone(key.pid)),
        Err(errno) => Err(SignalError::Refused { pid: key.pid, source: errno.into() }),
    }
}

pub(super) fn system_pid(pid: u32) -> Option<rustix::process::Pid> {
    i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw)
}

/// Waits for the end of one process, by an event of the kernel.
#[derive(Debug)]
pub struct ExitWatch {
    key: ProcessKey,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// It has ended already.
    Ended,
    /// Becomes readable at its end.
    Kernel(std::os::fd::OwnedFd),
    /// The kernel gave no such thing.
    Polling,
}

impl ExitWatch {
    /// Begins to watch. The kernel's handle is opened first and the identity checked after it, so the handle can
    /// only belong to the process that is meant.
    #[must_use]
    pub fn new(key: ProcessKey) -> Self {
        let opened = system_pid(key.pid).ok_or(rustix::io::Errno::SRCH).and_then(system::exit_handle);
        let source = match opened {
            _ if !is_running(key) => Source::Ended,
            Ok(handle) => Source::Kernel(handle),
            Err(rustix::io::Errno::SRCH) => Source::Ended,
            Err(errno) => {
                tracing::warn!(pid = key.pid, %errno, "no kernel event for the end of this process: polling instead");
                Source::Polling
            }
        };
        Self { key, source }
    }

    /// Returns when the process has ended: at once by the kernel's event, within 250 ms by polling.
    pub async fn wait(self) {
        match self.source {
            Source::Ended => return,
            Source::Kernel(handle) => match wait_readable(handle).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(pid = self.key.pid, %error, "the kernel's exit event failed: polling instead");
                }
            },
            Source::Polling => {}
        }
        while is_running(self.key) {
            tokio::time::sleep(POLL).await;
        }
    }
}

#[expect(unsafe_code, reason = "tokio registers a file descriptor only by the caller's word that it stays open")]
async fn wait_readable(handle: std::os::fd::OwnedFd) -> std::io::Result<()> {
    // SAFETY: the `AsyncFd` owns the descriptor, so it stays open for as long as it is registered.
    let handle = unsafe { AsyncFd::register_with_interest(handle, tokio::io::Interest::READABLE) }?;
    handle.readable().await?.retain_ready();
    Ok(())
}

/// Lets a command start in a session of its own: it lives on when Lifeguard or its terminal ends.
#[expect(unsafe_code, reason = "there is no safe way to run setsid in the new process")]
pub fn in_new_session(command: &mut tokio::process::Command) {
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; setsid(2) is one, and it neither
    // allocates nor locks.
    unsafe {
        command.pre_exec(|| rustix::process::setsid().map(drop).map_err(Into::into));
    }
}

/// Sends SIGKILL to the process group that a command of ours leads.
///
/// `leader` must be a child of ours that nobody has waited for: only then is its pid still its own.
pub fn kill_group_of_own_child(leader: u32) -> std::io::Result<()> {
    let Some(pid) = system_pid(leader).filter(|_| leader > 1) else { return Ok(()) };
    match rustix::process::kill_process_group(pid, rustix::process::Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
