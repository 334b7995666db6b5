//! The numbers that the core decides by. `config` fills them in; each default names its source.

use std::time::Duration;

use super::trend::MemoryPolicy;

/// How the gateway comes to run: who starts it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// We own the process: nobody else starts it.
    Ourselves,
    /// A service manager brings it back by itself; it gets its chance first.
    ServiceManager {
        /// How long to wait for it: its throttle and a margin.
        patience: Duration,
    },
    /// Somebody started it by hand.
    Nobody {
        /// Start it when it is dead, or only tell.
        start_when_dead: bool,
    },
}

/// The numbers that the core decides by.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Who starts the gateway again.
    pub manager: Manager,
    /// Distance of two probe rounds in quiet times. 10 s: gateway.md, "Suggested probe ladder".
    pub probe_interval: Duration,
    /// Distance of two probe rounds while something is in question.
    pub retry_interval: Duration,
    /// Failed rounds in a row before an outage counts as one (requirements A, Uptime Kuma's lesson).
    pub failures_before_down: u32,
    /// How long a gateway that answers nothing is given before it is restarted. Blocks of 30 to 60 s often end
    /// by themselves (gateway.md, section 6, row 3); it is *shown* as down after `failures_before_down`.
    pub hang_patience: Duration,
    /// An answer of `/healthz` that takes longer makes the gateway slow. Healthy ones take 5 ms (gateway.md, section 3).
    pub slow_answer: Duration,
    /// A connected channel that carries nothing for so long is silent. The gateway's own threshold is 30 min
    /// (gateway.md, fact 11); Telegram's long poll beats every 30 s, quieter channels far less often.
    pub channel_silence: Duration,
    /// How long a channel may be missing before one restart is tried, where the network is known to work: the gateway's
    /// own monitor needs two cycles of 5 min (gateway.md, section 5).
    pub channel_patience: Duration,
    /// A scheduled run that has been due for so long, while nothing is in flight, is overdue: the gateway's scheduler
    /// looks at least once a minute.
    pub overdue_after: Duration,
    /// How long work may be overdue before one restart is tried.
    pub overdue_patience: Duration,
    /// How long the gateway's own safe mode is left alone: a window of 5 min and a tick of its monitor (gateway.md,
    /// section 6, row 9).
    pub suppressed_patience: Duration,
    /// How long an update may take before the gateway is judged again (gateway.md, section 5: 5 to 30 min).
    pub update_limit: Duration,
    /// How long "alive, but not ready" may last before it is announced.
    pub unready_patience: Duration,
    /// Health must hold this long before anything counts as recovered (invariant 6).
    pub healthy_hold: Duration,
    /// The same after so many ends that health in between proved nothing.
    pub crash_loop_hold: Duration,
    /// So many ends …
    pub crash_loop_count: u32,
    /// … in so long a time are a crash loop, however healthy it looked in between.
    pub crash_loop_window: Duration,
    /// A process younger than this that does not listen yet is starting.
    pub startup_grace: Duration,
    /// Longest start-up while the gateway itself says that it is starting (gateway.md, fact 10).
    pub startup_limit: Duration,
    /// Longest orderly shutdown (gateway.md: 315 s drain and 10 s; systemd's `TimeoutStopSec` is 330).
    pub drain_limit: Duration,
    /// After a wake, this long no verdict counts.
    pub wake_grace: Duration,
    /// Waits before the second, third, … attempt; the first follows at once (requirements A5).
    pub backoff: Vec<Duration>,
    /// Each wait is lengthened by up to this share of itself.
    pub jitter: f64,
    /// Crashes that open the breaker (requirements H5).
    pub crash_limit: u32,
    /// Crashes within `crash_window` that open the breaker although the counter has decayed (requirements A1: by rate).
    pub crash_window: Duration,
    /// The counter falls by one for each such spell of unbroken health.
    pub decay_interval: Duration,
    /// No crash for this long sets the counter to zero (requirements C1).
    pub crash_reset: Duration,
    /// Longest distance of two trials in safe mode (invariant 2).
    pub trial_limit: Duration,
    /// At most this many attempts …
    pub budget: u32,
    /// … in any window of this length (invariant 1).
    pub budget_window: Duration,
    /// At most this many SIGKILLs …
    pub kill_budget: u32,
    /// … in any window of this length (invariant 10).
    pub kill_window: Duration,
    /// Sizes of the process tree, and what follows from them.
    pub memory: MemoryPolicy,
    /// At most so many restarts for want of memory …
    pub renewals: u32,
    /// … in so long a time: what fills up faster needs a person.
    pub renewal_window: Duration,
    /// A limit that is nearer than this is worth a restart at the next quiet moment.
    pub leak_horizon: Duration,
    /// Health of this length, of a generation that began after its configuration was changed, makes that a good one.
    pub config_hold: Duration,
    /// Put the last good configuration back without asking, when one that was changed since does not start.
    pub roll_back: bool,
    /// Run `openclaw doctor --fix` when plain attempts do not help.
    pub doctor: bool,
    /// Run the user's own command when plain attempts do not help.
    pub hook: bool,
    /// Longest time for what comes before the start on the higher rungs: a backup and `doctor`, the user's command.
    pub preparation_limit: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            manager: Manager::Ourselves,
            probe_interval: Duration::from_secs(10),
            retry_interval: Duration::from_secs(1),
            failures_before_down: 2,
            hang_patience: Duration::from_mins(1),
            slow_answer: Duration::from_secs(2),
            channel_silence: Duration::from_mins(30),
            channel_patience: Duration::from_mins(15),
            overdue_after: Duration::from_mins(10),
            overdue_patience: Duration::from_mins(15),
            suppressed_patience: Duration::from_mins(10),
            update_limit: Duration::from_mins(30),
            unready_patience: Duration::from_mins(5),
            healthy_hold: Duration::from_mins(1),
            crash_loop_hold: Duration::from_mins(10),
            crash_loop_count: 3,
            crash_loop_window: Duration::from_mins(30),
            startup_grace: Duration::from_mins(2),
            startup_limit: Duration::from_mins(5),
            drain_limit: Duration::from_secs(330),
            wake_grace: Duration::from_secs(30),
            backoff: [10, 30, 90, 180, 300, 600].map(Duration::from_secs).to_vec(),
            jitter: 0.1,
            crash_limit: 6,
            crash_window: Duration::from_hours(1),
            decay_interval: Duration::from_mins(30),
            crash_reset: Duration::from_hours(6),
            trial_limit: Duration::from_hours(6),
            budget: 3,
            budget_window: Duration::from_mins(5),
            kill_budget: 2,
            kill_window: Duration::from_mins(5),
            memory: MemoryPolicy::default(),
            renewals: 2,
            renewal_window: Duration::from_hours(6),
            leak_horizon: Duration::from_hours(1),
            config_hold: Duration::from_mins(5),
            roll_back: false,
            doctor: false,
            hook: false,
            preparation_limit: Duration::from_mins(10),
        }
    }
}
