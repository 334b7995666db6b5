//! What goes into the core and what comes out of it.

use serde::{Deserialize, Serialize};

use super::configuration::ConfigChange;
use super::dependency::DependencyState;
use super::incident::IncidentSummary;
use super::ladder::{Heal, Outcome, Rung};
use super::observation::{Exit, Identity, Observation};
use super::report::Report;
use super::trend::{Leak, MemoryLevel};
use super::verdict::Verdict;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Time passed; sent when [`next_wake`](super::Supervisor::next_wake) is due.
    Tick,
    /// A round of probes ended.
    Observed(Box<Observation>),
    /// The kernel reported the end of a process that was being watched.
    Exited {
        /// The process that ended.
        identity: Identity,
        /// How it ended.
        exit: Exit,
    },
    /// News of a heal that [`Action::Heal`] asked for.
    Heal {
        /// The heal's number.
        id: u64,
        /// The news.
        report: HealReport,
    },
    /// A person wants something.
    Command(Command),
    /// The system says that the machine is about to sleep.
    Suspending,
    /// The system says that the machine has woken.
    Woken,
}

/// News of a running heal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealReport {
    /// A SIGKILL was sent to the confirmed process.
    Killed,
    /// The service did what was asked; whether it helped is for the probes to see.
    Done,
    /// The service could not do it; the text says why and what to do.
    Failed(String),
    /// What comes before the start on the higher rungs did not work; the text says why and what to do.
    Unprepared(String),
    /// Nothing was touched: something that the gateway needs is missing.
    Obstructed(Vec<DependencyState>),
}

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Restart, or start what is not running. Skips the backoff and closes the breaker.
    Restart {
        /// Do not wait for running work.
        force: bool,
    },
    /// Stop it, and leave it stopped until somebody starts it again.
    Stop,
    /// Put the configuration back that was last good. The one that is there is kept beside it.
    RollBack,
    /// Crash counter to zero, breaker closed.
    Reset,
    /// Hands off until the given wall-clock time (Unix milliseconds), or until resumed.
    Pause {
        /// When the pause ends by itself.
        until: Option<i64>,
    },
    /// End of the pause.
    Resume,
    /// Look now.
    Probe,
}

/// What the engine is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Start a round of probes and send [`Event::Observed`].
    Probe,
    /// Try this, and report by [`Event::Heal`].
    Heal(Heal),
    /// A heal is over.
    Concluded {
        /// The heal's number.
        id: u64,
        /// How it ended.
        outcome: Outcome,
    },
    /// Tell the person.
    Announce(Alert),
    /// Keep a copy of the configuration with this fingerprint: it has proven itself.
    KeepConfig {
        /// Its fingerprint; a file that has another one by now has proven nothing.
        stamp: u64,
    },
    /// Save the state: something that a restart must not lose has changed.
    Persist,
}

/// One thing to tell a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The incident that it belongs to.
    pub incident: Option<IncidentSummary>,
    /// What happened.
    pub kind: AlertKind,
    /// When it happened: Unix milliseconds.
    pub at: i64,
}

/// What an alert tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// The gateway is down. Exactly one per incident.
    Down {
        /// What is the matter.
        verdict: Verdict,
        /// What will be tried, if anything.
        next: Option<Rung>,
        /// Wall-clock time of the attempt (Unix milliseconds).
        next_at: Option<i64>,
        /// What the attempt waits for, if something that the gateway needs is missing.
        #[serde(default)]
        waits_for: Vec<DependencyState>,
    },
    /// It works, but not whole, and stayed so for too long.
    Degraded {
        /// What is the matter.
        verdict: Verdict,
    },
    /// News of an outage that was told: an attempt begins. No message of its own; it changes the one there is.
    Progress {
        /// What is the matter now.
        verdict: Verdict,
        /// What is being tried.
        rung: Rung,
        /// Which attempt of this incident it is, from 1.
        attempt: u32,
    },
    /// Too many attempts: safe mode. Trials go on.
    SafeMode {
        /// What is the matter.
        verdict: Verdict,
        /// Wall-clock time of the next trial (Unix milliseconds).
        next_trial_at: i64,
    },
    /// Only a person can mend this, or something that the gateway needs is missing.
    Blocked {
        /// What is the matter.
        verdict: Verdict,
        /// What the next attempt waits for.
        #[serde(default)]
        waits_for: Vec<DependencyState>,
    },
    /// The configuration was changed before it came to this. Exactly one per incident.
    ConfigSuspect {
        /// What is the matter.
        verdict: Verdict,
        /// What was changed.
        change: ConfigChange,
        /// Whether Lifeguard puts the good one back by itself.
        rolls_back: bool,
    },
    /// It is back, and health has held. Exactly one per incident that was announced.
    Recovered {
        /// From the first failed observation to the first good one that held, in milliseconds.
        downtime: u64,
        /// Attempts made.
        attempts: u32,
        /// The rung that brought it back; `None` if it came back by itself.
        fixed_by: Option<Rung>,
    },
    /// A restart that a person asked for is over.
    RestartFinished {
        /// How it ended.
        outcome: Outcome,
    },
    /// It takes much memory, or more and more of it. Nothing is down.
    Memory {
        /// How much of what is allowed.
        level: MemoryLevel,
        /// Resident memory of the process tree, in bytes.
        bytes: u64,
        /// How fast it grows, if that is a leak.
        leak: Option<Leak>,
        /// Whether Lifeguard will restart it for this.
        renews: bool,
    },
    /// It was restarted at a quiet moment, before its memory ran out. Nothing was down.
    Renewed {
        /// Resident memory of the process tree before, in bytes.
        before: u64,
    },
    /// What happened in a day or a week. Of no incident and of no single gateway.
    Report(Box<Report>),
    /// Several alerts in one, for they came too fast, or while nobody was to be disturbed.
    Digest {
        /// Why they were gathered.
        reason: DigestReason,
        /// The alerts, the oldest first.
        entries: Vec<DigestEntry>,
        /// So many further ones.
        more: u32,
        /// When it was put together: Unix milliseconds.
        made: i64,
    },
    /// The self-check has found what it had not found before. Of no incident.
    Check(Vec<CheckProblem>),
    /// A test, asked for by a person.
    Test,
}

/// One thing that will not work when it is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckProblem {
    /// What was looked at, for people: the gateway's name, if it concerns one, and the subject.
    pub what: String,
    /// One sentence, for people.
    pub sentence: String,
    /// The command that mends it.
    pub mend: Option<String>,
}

/// Why alerts were gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestReason {
    /// Too many came in a short time.
    Storm,
    /// Nobody was to be disturbed.
    Quiet,
}

/// One alert of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestEntry {
    /// The gateway's name.
    pub gateway: String,
    /// The built-in practice gateway.
    pub practice: bool,
    /// The incident that it belongs to.
    pub incident: Option<u64>,
    /// When it happened: Unix milliseconds.
    pub at: i64,
    /// What it tells.
    pub kind: AlertKind,
}

/// How loud an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good news.
    Success,
    /// For the record.
    Info,
    /// Wants attention soon.
    Warning,
    /// Wants attention now.
    Critical,
}

impl AlertKind {
    /// How loud this is.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Down { .. } | Self::SafeMode { .. } | Self::Blocked { .. } | Self::ConfigSuspect { .. } => {
                Level::Critical
            }
            Self::Degraded { .. } | Self::Progress { .. } | Self::Check(_) => Level::Warning,
            Self::Recovered { .. } => Level::Success,
            Self::RestartFinished { outcome } if outcome.succeeded() => Level::Success,
            Self::RestartFinished { .. } => Level::Warning,
            Self::Memory { level: MemoryLevel::Limit, .. } => Level::Critical,
            Self::Memory { .. } => Level::Warning,
            Self::Renewed { .. } | Self::Report(_) | Self::Test => Level::Info,
            Self::Digest { entries, .. } => entries
                .iter()
                .map(|entry| entry.kind.level())
                .max()
                .map_or(Level::Info, |worst| if worst > Level::Info { Level::Warning } else { Level::Info }),
        }
    }

    /// The kind's name in logs, `alerts` output and docs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Down { .. } => "down",
            Self::Degraded { .. } => "degraded",
            Self::Progress { .. } => "progress",
            Self::SafeMode { .. } => "safe_mode",
            Self::Blocked { .. } => "blocked",
            Self::ConfigSuspect { .. } => "config_suspect",
            Self::Recovered { .. } => "recovered",
            Self::RestartFinished { .. } => "restart_finished",
            Self::Memory { .. } => "memory",
            Self::Renewed { .. } => "renewed",
            Self::Report(report) => report.period.name(),
            Self::Digest { .. } => "digest",
            Self::Check(_) => "check",
            Self::Test => "test",
        }
    }
}
