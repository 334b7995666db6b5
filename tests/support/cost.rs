//! What running processes cost: processor, wake-ups, memory. Read from Linux's `/proc`.
#![allow(dead_code, reason = "each program uses the part that it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use super::gateway::wait_until;

/// What some processes used while a meter ran.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// How long, in seconds.
    pub(crate) seconds: f64,
    /// Share of one core, in percent; children that have ended are counted.
    pub(crate) processor: f64,
    /// How often a thread began to wait, per second.
    pub(crate) wakes: f64,
    /// Threads that were seen.
    pub(crate) threads: usize,
    /// Memory at the end, in megabytes: resident, and what of it is private.
    pub(crate) resident: f64,
    pub(crate) private: f64,
    /// The most that was ever resident.
    pub(crate) most: f64,
}

/// Measures processes from its start until it is read.
pub(crate) struct Meter {
    pids: Vec<u32>,
    begin: Instant,
    busy: f64,
    before: HashMap<String, f64>,
    newest: HashMap<String, f64>,
}

impl Meter {
    pub(crate) fn start(pids: Vec<u32>) -> Self {
        let before: HashMap<_, _> = pids.iter().flat_map(|&pid| wakes(pid)).collect();
        let busy = pids.iter().map(|&pid| busy(pid)).sum();
        Self { pids, begin: Instant::now(), busy, newest: before.clone(), before }
    }

    /// A thread that ends takes its count along, so everyone's is looked at often: threads live for 10 s at least.
    pub(crate) fn look(&mut self) {
        self.newest.extend(self.pids.iter().flat_map(|&pid| wakes(pid)));
    }

    /// What was used since the start.
    pub(crate) fn read(&mut self) -> Cost {
        self.look();
        let seconds = self.begin.elapsed().as_secs_f64();
        let busy: f64 = self.pids.iter().map(|&pid| busy(pid)).sum();
        let since = |(thread, count): (&String, &f64)| count - self.before.get(thread).unwrap_or(&0.0);
        let statuses: Vec<_> = self.pids.iter().map(|pid| read(&format!("/proc/{pid}/status"))).collect();
        let megabytes = |name| statuses.iter().map(|status| field(status, name) * 1024.0 / 1e6).sum();
        Cost {
            seconds,
            processor: (busy - self.busy) * 100.0 / seconds,
            wakes: self.newest.iter().map(since).sum::<f64>() / seconds,
            threads: self.newest.len(),
            resident: megabytes("VmRSS:"),
            private: megabytes("RssAnon:"),
            most: megabytes("VmHWM:"),
        }
    }
}

/// What these processes use in so long a time.
pub(crate) fn measure(pids: Vec<u32>, spell: Duration) -> Cost {
    let mut meter = Meter::start(pids);
    while meter.begin.elapsed() < spell {
        wait_until(Duration::from_millis(500), || false);
        meter.look();
    }
    meter.read()
}

/// A process and its descendants, without those of which `leave_out` holds and what is below them.
pub(crate) fn tree(root: u32, leave_out: impl Fn(u32) -> bool) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            // It may have ended meanwhile.
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?))
        })
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|&&(pid, of)| of == parent && !leave_out(pid)).map(|&(pid, _)| pid));
        next += 1;
    }
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn field(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// Seconds that a process has spent on a processor, its threads and its children that have ended included: fields 14
/// to 17 of its `stat`, in ticks of 10 ms.
fn busy(pid: u32) -> f64 {
    let stat = read(&format!("/proc/{pid}/stat"));
    let (_, rest) = stat.rsplit_once(')').unwrap();
    rest.split_whitespace().skip(11).take(4).map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

/// How often each thread of a process began to wait.
fn wakes(pid: u32) -> HashMap<String, f64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let counts = threads.filter_map(|thread| {
        let thread = thread.ok()?;
        // It may have ended meanwhile.
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        Some((thread.file_name().to_string_lossy().into_owned(), field(&status, "voluntary_ctxt_switches:")))
    });
    counts.collect()
}
