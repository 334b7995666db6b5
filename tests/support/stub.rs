//! `examples/stub_gateway`, seen by the programs that measure with it.
#![allow(dead_code, reason = "each program uses the part that it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};

use super::gateway::wait_until;

/// The command of a stub that lives in this folder, by a name by which Lifeguard knows a gateway.
pub(crate) fn command(folder: &Path, port: u16, more: &[&str]) -> Vec<String> {
    let built = std::env::current_exe().unwrap().with_file_name("stub_gateway");
    let program = folder.join("openclaw");
    fs::copy(&built, &program).unwrap_or_else(|error| panic!("{}: {error}: use `make`", built.display()));
    let journal = folder.join("journal");
    let mut words = vec![program.display().to_string()];
    words.extend(["gateway", "run", "--port", &port.to_string(), "--journal"].map(str::to_owned));
    words.push(journal.display().to_string());
    words.extend(more.iter().map(|&word| word.to_owned()));
    words
}

/// Whether a process is the stub of this folder.
pub(crate) fn is_one(pid: u32, folder: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|program| program == folder.join("openclaw"))
}

/// Sends a signal to the stub of this folder that was started so; gives the moment, in nanoseconds.
pub(crate) fn signal(start: &Start, folder: &Path, signal: Signal) -> u64 {
    assert!(is_one(start.pid, folder), "process {} is no stub", start.pid);
    let now = now();
    kill_process(Pid::from_raw(i32::try_from(start.pid).unwrap()).unwrap(), signal).unwrap();
    now
}

/// The monotonic clock, in nanoseconds.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec * 1_000_000_000 + now.tv_nsec).unwrap()
}

/// One start that the stub has written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) pid: u32,
    /// When its program began, and when it listened, in nanoseconds.
    began: u64,
    listens: u64,
}

impl Start {
    /// From a moment to its beginning.
    pub(crate) fn millis_after(&self, moment: u64) -> f64 {
        Duration::from_nanos(self.began - moment).as_secs_f64() * 1e3
    }

    /// From a moment until it listened.
    pub(crate) fn listens_millis_after(&self, moment: u64) -> f64 {
        Duration::from_nanos(self.listens - moment).as_secs_f64() * 1e3
    }
}

/// What the stub of a folder writes down.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    folder: PathBuf,
}

/// One line of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) what: &'a str,
    pub(crate) at: u64,
    pub(crate) of: u32,
}

impl Journal {
    pub(crate) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.folder.join("journal")).unwrap_or_default()
    }

    /// The newest start that has come to listen and still runs: whoever keeps a gateway may start two of them at once,
    /// of which one finds the port taken.
    pub(crate) fn newest(&self) -> Option<Start> {
        let text = self.text();
        let all: Vec<_> = entries(&text).collect();
        let runs = |entry: &&Entry| entry.what == "started" && is_one(entry.of, &self.folder);
        let began = all.iter().rev().find(runs)?;
        let listens = all.iter().find(|entry| entry.what == "listening" && entry.at >= began.at)?.at;
        Some(Start { pid: began.of, began: began.at, listens })
    }

    /// The next start, of another process than this one.
    pub(crate) fn next_start(&self, limit: Duration, not: Option<u32>) -> Option<Start> {
        let mut found = None;
        wait_until(limit, || {
            found = self.newest().filter(|start| Some(start.pid) != not);
            found.is_some()
        });
        found
    }

    /// The same where there must be one.
    pub(crate) fn wait_start(&self, limit: Duration, not: Option<u32>) -> Start {
        self.next_start(limit, not).unwrap_or_else(|| panic!("no start within {limit:?}:\n{}", self.text()))
    }
}

/// The lines of a journal.
pub(crate) fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    // The last line may not be whole yet.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| {
        let mut words = line.split(' ');
        let mut next = || words.next().unwrap_or_else(|| panic!("{line}"));
        Entry { what: next(), at: next().parse().unwrap(), of: next().parse().unwrap() }
    })
}
