//! The gateway as a launchd agent.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::agent::Agent;
use super::launchctl::{Found, Job, Launchctl, POLL};
use super::setup::GatewaySetup;
use super::stop::{patience, stop, stop_leftover};
use super::{GatewayService, ServiceError, ServiceReport, channels, identity};
use crate::platform::process::identify;
use crate::supervisor::ladder::{Heal, Rung};
use crate::supervisor::observation::{Identity, ServiceState};

/// OpenClaw's own label for its agent.
pub(super) const DEFAULT_LABEL: &str = "ai.openclaw.gateway";

/// Beyond the throttle, how long launchd gets to start the job.
const MARGIN: Duration = Duration::from_secs(10);

/// launchd's own throttle where the job names none (`launchd.plist(5)`).
const DEFAULT_THROTTLE: Duration = Duration::from_secs(10);

/// Longest throttle that is waited for; with a longer one a kickstart is next.
const LONGEST_THROTTLE: Duration = Duration::from_mins(1);

/// A job that starts when it is loaded does so at once; one that does not within this time was left unspawned.
const SPAWN_LIMIT: Duration = Duration::from_secs(2);

/// Limit for all questions of one look.
const OBSERVE_LIMIT: Duration = Duration::from_secs(3);

/// More starts than these …
const LOOP_STARTS: u64 = 3;

/// … within this time are a crash loop that launchd itself drives (macos.md, section 4.4).
const LOOP_WINDOW: Duration = Duration::from_mins(1);

/// A launchd agent.
#[derive(Debug)]
pub struct Launchd {
    setup: GatewaySetup,
    label: String,
    launchctl: Launchctl,
    starts: Starts,
    /// One heal at a time.
    permit: tokio::sync::Mutex<()>,
}

impl Launchd {
    pub(super) fn new(setup: GatewaySetup) -> Self {
        let label = setup.label.clone().unwrap_or_else(|| DEFAULT_LABEL.to_owned());
        let launchctl = Launchctl::new(setup.launchctl.clone(), setup.uid, &label);
        Self { setup, label, launchctl, starts: Starts::default(), permit: tokio::sync::Mutex::new(()) }
    }

    pub(super) fn log_path(&self) -> Option<PathBuf> {
        let path = Agent::read(&self.plist()).ok()?.standard_out_path?;
        Some(path).filter(|path| path.as_os_str() != "/dev/null")
    }

    /// How long launchd gets to bring the gateway back by itself: the agent's throttle and a margin.
    pub(super) fn patience(&self) -> Duration {
        Agent::read(&self.plist()).map_or(DEFAULT_THROTTLE, |agent| agent.throttle()).min(LONGEST_THROTTLE) + MARGIN
    }

    fn plist(&self) -> PathBuf {
        self.setup.home.join("Library/LaunchAgents").join(format!("{}.plist", self.label))
    }

    async fn report(&self) -> ServiceReport {
        match self.launchctl.look().await {
            Found::Loaded(job) => {
                let starts = self.starts.of_late(&job, Instant::now());
                ServiceReport { state: state(&job, starts), process: self.process(&job), last_exit: job.exit_code() }
            }
            Found::NotLoaded => ServiceReport::of(self.unloaded().await),
            Found::Unclear(reason) => ServiceReport::of(ServiceState::Unknown(reason)),
        }
    }

    async fn unloaded(&self) -> ServiceState {
        if !self.plist().exists() {
            return ServiceState::NotInstalled;
        }
        match self.launchctl.is_disabled().await {
            Ok(true) => ServiceState::Disabled,
            Ok(false) => ServiceState::NotLoaded,
            Err(error) => ServiceState::Unknown(error.to_string()),
        }
    }

    fn process(&self, job: &Job) -> Option<Identity> {
        let info = identify(job.pid?).filter(|info| info.uid == self.setup.uid)?;
        Some(identity::of(&info))
    }

    /// Whether launchd starts the job anew within the limit. A process that ends at once may never be seen, but it is
    /// counted.
    async fn starts(&self, before: &Before, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            if let Found::Loaded(job) = self.launchctl.look().await
                && (job.runs > before.runs || self.process(&job).is_some_and(|process| before.is_other(&process)))
            {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            sleep(POLL).await;
        }
    }

    async fn start(&self) -> Result<(), ServiceError> {
        match self.launchctl.look().await {
            Found::Loaded(job) if job.pid.is_some() => {
                tracing::info!(pid = job.pid, "nothing to start: launchd runs the gateway");
                Ok(())
            }
            Found::Loaded(job) => self.revive(&job, &Before::of(&job, None)).await,
            Found::NotLoaded => self.load(None).await,
            Found::Unclear(reason) => Err(self.launchctl.unclear(reason)),
        }
    }

    /// Brings a loaded job without a process to run, and if nothing comes of that, unloads and loads it.
    async fn revive(&self, job: &Job, before: &Before) -> Result<(), ServiceError> {
        if self.wake(job, before).await? {
            return Ok(());
        }
        if let Found::Loaded(Job { pid: Some(now), .. }) = self.launchctl.look().await {
            return Err(ServiceError::ProcessChanged { now });
        }
        tracing::warn!(target = self.launchctl.target(), "launchd brought no process: loading the job anew");
        self.launchctl.unload().await?;
        self.load(before.process.clone()).await
    }

    /// Waits for a start that launchd has scheduled; one that it left unspawned is kicked. Kicking a job whose turn
    /// will come only adds to a crash loop.
    async fn wake(&self, job: &Job, before: &Before) -> Result<bool, ServiceError> {
        let throttle = job.throttle.map_or(DEFAULT_THROTTLE, Duration::from_secs).min(LONGEST_THROTTLE);
        if job.is_scheduled() {
            if self.starts(before, throttle + MARGIN).await {
                return Ok(true);
            }
            match self.launchctl.look().await {
                Found::Loaded(job) if job.pid.is_none() && !job.is_scheduled() => {}
                _ => return Ok(false),
            }
        }
        self.launchctl.kickstart().await?;
        Ok(self.starts(before, throttle + MARGIN).await)
    }

    /// Loads the job. Its plist is never written: only OpenClaw's own installation does that.
    async fn load(&self, old: Option<Identity>) -> Result<(), ServiceError> {
        let plist = self.plist();
        let action = || format!("launchctl bootstrap {}", self.label);
        let refused = |reason| ServiceError::Refused { action: action(), reason };
        let agent = Agent::read(&plist).map_err(|error| refused(error.to_string()))?;
        if agent.label != self.label {
            return Err(refused(format!("{} is about another job, {}", plist.display(), agent.label)));
        }
        self.launchctl.load(&plist).await?;
        // A job that is loaded anew counts its starts from the beginning.
        let before = Before { process: old, runs: Some(0) };
        if self.starts(&before, SPAWN_LIMIT).await {
            return Ok(());
        }
        if let Found::Loaded(job) = self.launchctl.look().await
            && self.wake(&job, &before).await?
        {
            return Ok(());
        }
        let look = format!("launchctl print {}", self.launchctl.target());
        Err(ServiceError::DidNotStart { manager: "launchd", waited: self.patience(), look })
    }

    /// Stops the confirmed process and lets launchd's `KeepAlive` bring it back.
    async fn restart(&self, heal: &Heal, killed: &(impl Fn() + Send + Sync)) -> Result<(), ServiceError> {
        let job = match self.launchctl.look().await {
            Found::Loaded(job) => job,
            Found::NotLoaded => return self.load(None).await,
            Found::Unclear(reason) => return Err(self.launchctl.unclear(reason)),
        };
        let Some(running) = self.process(&job) else {
            return match job.pid {
                Some(now) => Err(ServiceError::ProcessChanged { now }),
                None => self.revive(&job, &Before::of(&job, None)).await,
            };
        };
        if !heal.target.as_ref().is_some_and(|target| target.is_same(&running)) {
            return Err(ServiceError::ProcessChanged { now: running.pid });
        }
        stop(&running, patience(heal, self.setup.drain_limit), heal.may_kill, killed).await?;
        let before = Before::of(&job, Some(running));
        // launchd learns of the end a moment after the kernel has told of it here.
        if self.starts(&before, POLL).await {
            return Ok(());
        }
        match self.launchctl.look().await {
            Found::Loaded(job) => self.revive(&job, &before).await,
            Found::NotLoaded => self.load(before.process).await,
            Found::Unclear(reason) => Err(self.launchctl.unclear(reason)),
        }
    }
}

impl GatewayService for Launchd {
    async fn observe(&self) -> ServiceReport {
        match timeout(OBSERVE_LIMIT, self.report()).await {
            Ok(report) => report,
            Err(_) => ServiceReport::of(ServiceState::Unknown(format!(
                "launchctl did not answer within {} s",
                OBSERVE_LIMIT.as_secs()
            ))),
        }
    }

    async fn perform(&self, heal: &Heal, killed: impl Fn() + Send + Sync) -> Result<(), ServiceError> {
        let _permit = self.permit.lock().await;
        match heal.rung {
            Rung::Start => self.start().await,
            Rung::StartChannels => channels::start(&self.setup, &heal.channels).await,
            Rung::Stop => self.launchctl.unload().await,
            Rung::FreePort => {
                stop_leftover(&self.setup, heal, &killed).await?;
                self.start().await
            }
            Rung::Graceful | Rung::Restart | Rung::RollBack | Rung::Doctor | Rung::Hook => {
                self.restart(heal, &killed).await
            }
        }
    }
}

/// What a new start is told from.
#[derive(Debug)]
struct Before {
    process: Option<Identity>,
    /// launchd's own count of the job's starts.
    runs: Option<u64>,
}

impl Before {
    fn of(job: &Job, process: Option<Identity>) -> Self {
        // Without a count, only a process tells.
        Self { process, runs: Some(job.runs.unwrap_or(u64::MAX)) }
    }

    fn is_other(&self, process: &Identity) -> bool {
        self.process.as_ref().is_none_or(|old| !old.is_same(process))
    }
}

/// launchd's own count of a job's starts, as it was seen of late.
#[derive(Debug, Default)]
struct Starts(Mutex<VecDeque<(Instant, u64)>>);

impl Starts {
    /// How often launchd has started the job within [`LOOP_WINDOW`], as far as that was seen.
    fn of_late(&self, job: &Job, now: Instant) -> u64 {
        let Some(runs) = job.runs else { return 0 };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A job that is loaded anew counts from the beginning.
        if seen.back().is_some_and(|(_, last)| *last > runs) {
            seen.clear();
        }
        seen.push_back((now, runs));
        while seen.front().is_some_and(|(at, _)| now.duration_since(*at) > LOOP_WINDOW) {
            seen.pop_front();
        }
        seen.front().map_or(0, |(_, first)| runs - first)
    }
}

fn state(job: &Job, starts: u64) -> ServiceState {
    let last = || job.last_exit.clone().unwrap_or_else(|| "not told".to_owned());
    if job.pid.is_some() {
        return ServiceState::Running;
    }
    match &job.held_back {
        _ if starts > LOOP_STARTS => {
            ServiceState::CrashLooping(format!("{starts} starts within a minute; last exit: {}", last()))
        }
        _ if job.is_scheduled() => ServiceState::Restarting,
        Some(why) => ServiceState::Failed(format!("launchd holds its start back: {why}; last exit: {}", last())),
        None if job.keep_alive => {
            ServiceState::Failed(format!("launchd keeps it alive, yet does not start it; last exit: {}", last()))
        }
        None if job.exit_code().is_some_and(|code| code != 0) => {
            ServiceState::Failed(format!("launchd does not keep it alive; last exit: {}", last()))
        }
        None => ServiceState::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: &str, pid: Option<u32>, keep_alive: bool, held_back: Option<&str>) -> Job {
        Job {
            state: state.to_owned(),
            pid,
            keep_alive,
            held_back: held_back.map(ToOwned::to_owned),
            last_exit: Some("78: EX_CONFIG".to_owned()),
            ..Job::default()
        }
    }

    #[test]
    fn states() {
        let of = |job: Job| state(&job, 0);
        assert_eq!(of(job("running", Some(1), true, None)), ServiceState::Running);
        assert_eq!(of(job("spawn scheduled", None, true, None)), ServiceState::Restarting);
        let ended = |how: &str| Job { last_exit: Some(how.to_owned()), ..job("not running", None, false, None) };
        for how in ["0", "(never exited)", "Terminated: 15"] {
            assert_eq!(of(ended(how)), ServiceState::Stopped, "{how}");
        }
        assert!(matches!(of(ended("1")), ServiceState::Failed(_)));
        assert!(matches!(of(job("not running", None, true, None)), ServiceState::Failed(why) if why.contains("78")));
        assert!(
            matches!(of(job("waiting", None, true, Some("inefficient"))), ServiceState::Failed(why) if why.contains("inefficient"))
        );
    }

    #[test]
    fn starts_that_climb_are_a_crash_loop_and_time_ends_it() {
        let starts = Starts::default();
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let run = |runs| Job { runs: Some(runs), ..job("spawn scheduled", None, true, None) };
        for (seconds, runs) in [(0, 7), (10, 8), (20, 9), (30, 10)] {
            assert_eq!(state(&run(runs), starts.of_late(&run(runs), at(seconds))), ServiceState::Restarting, "{runs}");
        }
        let told = state(&run(11), starts.of_late(&run(11), at(40)));
        assert!(matches!(&told, ServiceState::CrashLooping(why) if why.contains("4 starts")), "{told:?}");
        let running = Job { state: "running".to_owned(), pid: Some(1), ..run(12) };
        assert_eq!(state(&running, starts.of_late(&running, at(50))), ServiceState::Running);
        assert_eq!(starts.of_late(&run(12), at(111)), 0);
        assert_eq!(starts.of_late(&run(1), at(112)), 0, "loaded anew");
    }
}
