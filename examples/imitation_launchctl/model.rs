//! launchd as a value: jobs, throttles, ends, the database of switched-off labels. It knows neither clock nor process
//! nor file; whoever drives it tells it the time, does what it wants done, and reports back.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::agent::Agent;
use super::words;

/// What `launchctl` prints and its exit code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) code: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    pub(crate) fn yes(stdout: String) -> Self {
        Self { code: 0, stdout, stderr: String::new() }
    }

    pub(crate) fn no(code: u8, stderr: String) -> Self {
        Self { code, stdout: String::new(), stderr }
    }
}

/// What launchd wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Start this job's program; report by [`Launchd::started`].
    Start(String),
    /// Ask this process to end.
    Terminate(u32),
    /// End this process.
    Kill(u32),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Code(i32),
    Signal(i32),
}

/// A loaded job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) agent: Agent,
    pub(crate) path: PathBuf,
    pub(crate) runs: u32,
    pub(crate) phase: Phase,
    pub(crate) last: Option<End>,
    last_start: Option<Duration>,
    /// When it is killed, once it is being unloaded.
    leaving: Option<Duration>,
}

/// Where a job is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    /// To be started at this time.
    Scheduled(Duration),
    /// Its start was wished for.
    Starting,
    Running(u32),
    /// launchd holds its start back, for this reason.
    HeldBack(String),
}

/// The whole of launchd, as far as one user's agents are concerned.
#[derive(Debug)]
pub(crate) struct Launchd {
    pub(crate) uid: u32,
    pub(crate) jobs: BTreeMap<String, Job>,
    /// Labels that somebody switched on or off; `true` is off.
    pub(crate) disabled: BTreeMap<String, bool>,
    /// Somebody is logged in at the screen.
    domain: bool,
    hold_back: Option<String>,
    refusals: VecDeque<(String, u8)>,
    /// Calls of `print` that are answered in words that nobody knows.
    garbled: u32,
    wishes: Vec<Wish>,
    happened: Vec<String>,
}

type ReadAgent<'a> = &'a dyn Fn(&Path) -> Option<Agent>;

impl Launchd {
    pub(crate) fn new(uid: u32) -> Self {
        Self {
            uid,
            jobs: BTreeMap::new(),
            disabled: BTreeMap::new(),
            domain: true,
            hold_back: None,
            refusals: VecDeque::new(),
            garbled: 0,
            wishes: Vec::new(),
            happened: Vec::new(),
        }
    }

    /// What is to be done now.
    pub(crate) fn take_wishes(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.wishes)
    }

    /// What has happened since the last call, for the transcript.
    pub(crate) fn take_happened(&mut self) -> Vec<String> {
        std::mem::take(&mut self.happened)
    }

    /// A call of `launchctl` with these words.
    pub(crate) fn call(&mut self, now: Duration, words: &[&str], read: ReadAgent<'_>) -> Answer {
        let Some((&verb, rest)) = words.split_first() else { return words::usage() };
        match self.take_refusal(verb) {
            None => {}
            Some(0) => return Answer::yes(String::new()),
            Some(code) => return words::refusal(verb, code, rest.first().unwrap_or(&"")),
        }
        if verb == "print" && self.garbled > 0 {
            self.garbled -= 1;
            return Answer::yes(format!("job {} {{ phase: alive }}\n", rest.first().unwrap_or(&"")));
        }
        match (verb, rest) {
            ("print", [target]) => self.on_job(target, |launchd, label| words::print(launchd, label)),
            ("print-disabled", [domain]) => {
                if self.is_domain(domain) {
                    words::print_disabled(self)
                } else {
                    words::no_domain(self.uid)
                }
            }
            ("list", [label]) if self.jobs.contains_key(*label) => words::list(self, label),
            ("list", [label]) => words::not_listed(label),
            ("enable", [target]) => self.switch(target, false),
            ("disable", [target]) => self.switch(target, true),
            ("bootstrap", [domain, path]) => self.bootstrap(now, domain, Path::new(path), read),
            ("bootout", [target]) => self.bootout(now, target),
            ("kickstart", [target]) => self.on_job(target, |launchd, label| launchd.kickstart(now, label)),
            _ => words::usage(),
        }
    }

    /// A call of `launchctl imitate` with these words: what the tests arrange.
    pub(crate) fn imitate(&mut self, words: &[&str]) -> Answer {
        match words {
            ["refuse", verb, code, times] => {
                let (Ok(code), Ok(times)) = (code.parse(), times.parse()) else { return words::usage() };
                self.refusals.extend(std::iter::repeat_n(((*verb).to_owned(), code), times));
            }
            ["garble", times] => self.garbled = times.parse().unwrap_or_default(),
            ["hold-back", reason] => self.hold_back = (*reason != "false").then(|| (*reason).to_owned()),
            ["domain", word] => self.domain = *word == "back",
            _ => return words::usage(),
        }
        Answer::yes(String::new())
    }

    fn take_refusal(&mut self, verb: &str) -> Option<u8> {
        let position = self.refusals.iter().position(|(refused, _)| refused == verb)?;
        self.refusals.remove(position).map(|(_, code)| code)
    }

    fn is_domain(&self, name: &str) -> bool {
        self.domain && name == format!("gui/{}", self.uid)
    }

    /// `gui/UID/LABEL`: exactly that.
    fn label<'a>(&self, target: &'a str) -> Option<&'a str> {
        let (domain, label) = target.rsplit_once('/')?;
        self.is_domain(domain).then_some(label)
    }

    fn on_job(&mut self, target: &str, answer: impl FnOnce(&mut Self, &str) -> Answer) -> Answer {
        let Some(label) = self.label(target) else { return words::no_domain(self.uid) };
        if self.jobs.contains_key(label) { answer(self, label) } else { words::not_found(self.uid, label) }
    }

    /// Takes any label, whether there is such a job or not.
    fn switch(&mut self, target: &str, off: bool) -> Answer {
        let Some(label) = self.label(target) else { return words::no_domain(self.uid) };
        self.disabled.insert(label.to_owned(), off);
        Answer::yes(String::new())
    }

    fn bootstrap(&mut self, now: Duration, domain: &str, path: &Path, read: ReadAgent<'_>) -> Answer {
        // The catch-all code, whatever the reason: no or a damaged plist, switched off, loaded already, still leaving.
        let refused = || words::refusal("bootstrap", 5, "");
        if !self.is_domain(domain) {
            return words::refusal("bootstrap", 125, "");
        }
        let Some(agent) = read(path).filter(|agent| !agent.label.is_empty()) else { return refused() };
        let label = agent.label.clone();
        if self.jobs.contains_key(&label) || self.disabled.get(&label) == Some(&true) {
            return refused();
        }
        let starts = agent.run_at_load || agent.is_kept_alive();
        let phase = Phase::Idle;
        let job = Job { agent, path: path.to_owned(), runs: 0, phase, last: None, last_start: None, leaving: None };
        self.jobs.insert(label.clone(), job);
        if starts {
            self.start_by_itself(now, &label);
        }
        Answer::yes(String::new())
    }

    fn bootout(&mut self, now: Duration, target: &str) -> Answer {
        let Some(label) = self.label(target) else { return words::no_domain(self.uid) };
        let Some(job) = self.jobs.get_mut(label) else { return words::refusal("bootout", 3, "") };
        if job.leaving.is_some() {
            return words::refusal("bootout", 36, "");
        }
        match job.phase {
            Phase::Running(pid) => {
                job.leaving = Some(now + job.agent.exit_time_out());
                self.wishes.push(Wish::Terminate(pid));
            }
            Phase::Starting => job.leaving = Some(now + job.agent.exit_time_out()),
            Phase::Idle | Phase::Scheduled(_) | Phase::HeldBack(_) => {
                self.jobs.remove(label);
            }
        }
        Answer::yes(String::new())
    }

    /// Starts what does not run; a throttled job keeps its turn.
    fn kickstart(&mut self, now: Duration, label: &str) -> Answer {
        if let Some(job) = self.jobs.get_mut(label)
            && matches!(job.phase, Phase::Idle | Phase::HeldBack(_))
        {
            job.phase = Phase::Scheduled(job.turn(now));
            self.tick(now);
        }
        Answer::yes(String::new())
    }

    /// A start that nobody demands.
    fn start_by_itself(&mut self, now: Duration, label: &str) {
        let Some(job) = self.jobs.get_mut(label) else { return };
        job.phase = match &self.hold_back {
            Some(reason) => Phase::HeldBack(reason.clone()),
            None => Phase::Scheduled(job.turn(now)),
        };
        self.tick(now);
    }

    /// The time has come to `now`.
    pub(crate) fn tick(&mut self, now: Duration) {
        for (label, job) in &mut self.jobs {
            match job.phase {
                Phase::Scheduled(at) if at <= now => {
                    job.phase = Phase::Starting;
                    job.last_start = Some(now);
                    self.wishes.push(Wish::Start(label.clone()));
                }
                Phase::Running(pid) if job.leaving.is_some_and(|at| at <= now) => {
                    job.leaving = Some(Duration::MAX);
                    self.wishes.push(Wish::Kill(pid));
                }
                _ => {}
            }
        }
    }

    /// When [`Launchd::tick`] is next of use.
    pub(crate) fn next_tick(&self) -> Option<Duration> {
        let of = |job: &Job| match job.phase {
            Phase::Scheduled(at) => Some(at),
            Phase::Running(_) => job.leaving.filter(|at| *at < Duration::MAX),
            _ => None,
        };
        self.jobs.values().filter_map(of).min()
    }

    /// The program of this job runs, or could not be run.
    pub(crate) fn started(&mut self, now: Duration, label: &str, pid: Option<u32>) {
        let Some(job) = self.jobs.get_mut(label) else { return };
        job.runs += 1;
        let Some(pid) = pid else {
            self.happened.push(format!("launchd cannot start {label}"));
            // 78: EX_CONFIG.
            self.over(now, &label.to_owned(), End::Code(78));
            return;
        };
        job.phase = Phase::Running(pid);
        self.happened.push(format!("launchd starts {label}: run {}", job.runs));
        if job.leaving.is_some() {
            self.wishes.push(Wish::Terminate(pid));
        }
    }

    /// A process has ended.
    pub(crate) fn ended(&mut self, now: Duration, pid: u32, end: End) {
        let of = |(label, job): (&String, &Job)| (job.phase == Phase::Running(pid)).then(|| label.clone());
        let Some(label) = self.jobs.iter().find_map(of) else { return };
        self.happened.push(format!("{label} ended: {}", words::end_in_short(end)));
        self.over(now, &label, end);
    }

    fn over(&mut self, now: Duration, label: &String, end: End) {
        let Some(job) = self.jobs.get_mut(label) else { return };
        job.last = Some(end);
        job.phase = Phase::Idle;
        if job.leaving.is_some() {
            self.jobs.remove(label);
        } else if job.agent.starts_again(end == End::Code(0)) {
            self.start_by_itself(now, label);
        }
    }
}

impl Job {
    /// When it may start at the earliest.
    fn turn(&self, now: Duration) -> Duration {
        self.last_start.map_or(now, |start| now.max(start + self.agent.throttle()))
    }
}

#[cfg(test)]
mod tests;
