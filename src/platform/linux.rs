//! The Linux side of the interface: `/proc`, pidfd and netlink.

mod sockets;

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, kill_process, pidfd_open, pidfd_send_signal};
use rustix::time::{ClockId, clock_gettime};

use super::process::{ProcessKey, Row, Signal};
pub(super) use sockets::listening;

/// Clock ticks of `/proc/PID/stat`, in milliseconds: `USER_HZ` is 100 on every architecture that Rust's standard
/// library runs on.
const TICK: u64 = 10;

/// Longest argument list that is read, in bytes.
const ARGV_LIMIT: u64 = 16 * 1024;

/// More than `stat` and `status` of a process have, in bytes: a page.
const LONGEST_FACTS: usize = 4096;

/// Longest environment that is read, in bytes.
const ENVIRONMENT_LIMIT: u64 = 256 * 1024;

pub(super) fn boot_id() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

pub(super) fn awake() -> i64 {
    read_clock(ClockId::Monotonic)
}

pub(super) fn elapsed() -> i64 {
    read_clock(ClockId::Boottime)
}

fn read_clock(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

pub(super) fn cut_front(file: &fs::File, length: u64) -> Result<(), Errno> {
    match fallocate(file, FallocateFlags::COLLAPSE_RANGE, 0, length) {
        // Not of this file system: tmpfs and btrfs, for two.
        Err(Errno::OPNOTSUPP | Errno::INVAL) => {
            fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, length)
        }
        done => done,
    }
}

pub(super) fn row(pid: u32) -> Option<Row> {
    read_facts(pid, "stat", |stat| parse_stat(pid, stat))
}

/// Hands over what a small file of `/proc/PID` says. The kernel gives it whole at the first reading; its length is not known
/// before, and to feel for the end would take eight more calls.
fn read_facts<T>(pid: u32, name: &str, parse: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
    let mut buffer = [0; LONGEST_FACTS];
    let length = fs::File::open(format!("/proc/{pid}/{name}")).ok()?.read(&mut buffer).ok()?;
    parse(&buffer[..length])
}

/// `/proc/PID/stat`: pid, name in brackets, state, parent, group, session, …; the start stamp is field 22. The name may
/// hold anything, brackets and spaces included. Threads of the kernel have session 0.
fn parse_stat(pid: u32, stat: &[u8]) -> Option<Row> {
    let text = String::from_utf8_lossy(stat);
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let dead = matches!(fields.next()?, "Z" | "X" | "x");
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok().filter(|session| *session > 0);
    let started = fields.nth(15)?.parse().ok()?;
    Some(Row { key: ProcessKey { pid, started }, parent, session, dead })
}

pub(super) fn pids() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

pub(super) fn argv(pid: u32) -> Vec<String> {
    // A title may fill the rest of the old argument list with spaces or zero bytes.
    zero_separated(&format!("/proc/{pid}/cmdline"), ARGV_LIMIT)
        .unwrap_or_default()
        .iter()
        .map(|argument| argument.trim_end().to_owned())
        .filter(|argument| !argument.is_empty())
        .collect()
}

pub(super) fn environment(pid: u32) -> Option<Vec<(String, String)>> {
    let variables = zero_separated(&format!("/proc/{pid}/environ"), ENVIRONMENT_LIMIT)?;
    let pairs = variables.iter().filter_map(|variable| variable.split_once('='));
    Some(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn zero_separated(path: &str, limit: u64) -> Option<Vec<String>> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect())
}

pub(super) fn working_dir(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

pub(super) fn uid(pid: u32) -> Option<u32> {
    Some(fs::metadata(format!("/proc/{pid}")).ok()?.uid())
}

pub(super) fn age(key: &ProcessKey) -> Option<Duration> {
    let now = u64::try_from(elapsed()).ok()?;
    Some(Duration::from_millis(now.saturating_sub(key.started.saturating_mul(TICK))))
}

pub(super) fn resident(pid: u32) -> Option<u64> {
    read_facts(pid, "status", |status| {
        let text = String::from_utf8_lossy(status);
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    })
}

/// Fields 14 and 15 of `/proc/PID/stat`: ticks in user mode and in the kernel.
pub(super) fn processor_time(pid: u32) -> Option<Duration> {
    read_facts(pid, "stat", |stat| {
        let text = String::from_utf8_lossy(stat);
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace().skip(11);
        let (user, kernel): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Duration::from_millis(user.saturating_add(kernel).saturating_mul(TICK)))
    })
}

pub(super) fn open_files(pid: u32) -> Option<u64> {
    let folder = format!("/proc/{pid}/fd");
    // Since Linux 6.2 the folder's length is their number (proc_pid_fd(5)); before, it was 0.
    let length = fs::metadata(&folder).ok()?.len();
    if length > 0 { Some(length) } else { u64::try_from(fs::read_dir(folder).ok()?.count()).ok() }
}

pub(super) fn exit_handle(pid: Pid) -> Result<OwnedFd, Errno> {
    pidfd_open(pid, PidfdFlags::empty())
}

/// A pidfd names one process for ever: opened before the check, it makes check and signal one step.
pub(super) fn signal(key: ProcessKey, pid: Pid, signal: Signal) -> Result<(), Errno> {
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(handle) => Some(handle),
        Err(Errno::SRCH) => return Err(Errno::SRCH),
        // An old kernel, or a sandbox that forbids it: what is left is to signal right after the check.
        Err(_) => None,
    };
    if !super::process::is_running(key) {
        return Err(Errno::SRCH);
    }
    match handle {
        Some(handle) => match pidfd_send_signal(&handle, signal.raw()) {
            Err(Errno::NOSYS) => kill_process(pid, signal.raw()),
            sent => sent,
        },
        None => kill_process(pid, signal.raw()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let stat = b"77 (a) b (c)) S 5 77 77 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 11 0 123456 1 2\n";
        let row = parse_stat(77, stat).unwrap();
        assert_eq!((row.key.started, row.parent, row.session, row.dead), (123_456, 5, Some(77), false));
    }

    #[test]
    fn a_thread_of_the_kernel_belongs_to_no_session() {
        let stat = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0\n";
        assert_eq!(parse_stat(2, stat).unwrap().session, None);
    }

    #[test]
    fn a_zombie_is_dead_and_a_torn_line_is_nothing() {
        let stat = b"77 (node) Z 5 77 77 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 11 0 123456 1 2\n";
        assert!(parse_stat(77, stat).unwrap().dead);
        assert!(parse_stat(77, &stat[..30]).is_none());
    }
}
