//! The gateway as a launchd agent.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::command::{CommandError, CommandOutput, run};
use super::launchctl::{Job, parse_disabled, parse_print};
use super::setup::GatewaySetup;
use super::stop::{patience, stop, stop_leftover};
use super::{GatewayService, ServiceError, ServiceReport, channels, identity};
use crate::platform::process::identify;
use crate::supervisor::ladder::{Heal, Rung};
use crate::supervisor::observation::{Identity, ServiceState};

/// OpenClaw's own label for its agent.
const DEFAULT_LABEL: &str = "ai.openclaw.gateway";

/// How long launchd gets to bring the gateway back by itself: its default throttle and a margin.
pub(super) const PATIENCE: Duration = Duration::from_secs(DEFAULT_THROTTLE + 10);

/// Beyond the throttle, how long launchd gets.
const MARGIN: Duration = Duration::from_secs(10);

/// launchd's own throttle where the job names none, in seconds (`launchd.plist(5)`).
const DEFAULT_THROTTLE: u64 = 10;

/// Longest throttle that is waited for after a stop, in seconds; with a longer one a kickstart is next.
const LONGEST_THROTTLE: u64 = 60;

/// Limit for all questions of one look.
const OBSERVE_LIMIT: Duration = Duration::from_secs(3);

/// Limit for one command to launchd.
const ORDER_LIMIT: Duration = Duration::from_secs(10);

/// How often a change is looked for.
const POLL: Duration = Duration::from_millis(500);

/// launchd kills a job that it unloads after its `ExitTimeOut`, 20 s for the gateway; and a margin.
const UNLOAD_LIMIT: Duration = Duration::from_secs(25);

/// A start is tried this often when launchd answers with its catch-all code 5.
const BOOTSTRAP_TRIES: u32 = 3;

/// The distance of these tries.
const BOOTSTRAP_WAIT: Duration = Duration::from_secs(2);

/// `launchctl`'s exit codes (macos.md, section 4.2).
mod code {
    /// It is not loaded.
    pub(super) const NO_SUCH_PROCESS: i32 = 3;
    /// The catch-all: already loaded, still stopping, switched off, …
    pub(super) const INPUT_OUTPUT: i32 = 5;
    /// It is loaded already.
    pub(super) const EXISTS: i32 = 17;
    /// It is still stopping.
    pub(super) const IN_PROGRESS: i32 = 36;
    /// Something is under way already.
    pub(super) const ALREADY: i32 = 37;
    /// There is no such service in this domain.
    pub(super) const NOT_FOUND: i32 = 113;
}

/// A launchd agent.
#[derive(Debug)]
pub struct Launchd {
    setup: GatewaySetup,
    label: String,
    /// `gui/UID/LABEL`.
    target: String,
    /// launchd's commands for one label must not overlap.
    permit: tokio::sync::Mutex<()>,
}

/// What launchd knows of the job.
#[derive(Debug)]
enum Found {
    Loaded(Job),
    NotLoaded,
    Unclear(String),
}

impl Launchd {
    pub(super) fn new(setup: GatewaySetup) -> Self {
        let label = setup.label.clone().unwrap_or_else(|| DEFAULT_LABEL.to_owned());
        let target = format!("gui/{}/{label}", setup.uid);
        Self { setup, label, target, permit: tokio::sync::Mutex::new(()) }
    }

    pub(super) fn log_path(&self) -> Option<PathBuf> {
        let value = plist::Value::from_file(self.plist()).ok()?;
        let path = value.as_dictionary()?.get("StandardOutPath")?.as_string()?;
        Some(PathBuf::from(path)).filter(|path| path.as_os_str() != "/dev/null")
    }

    fn plist(&self) -> PathBuf {
        self.setup.home.join("Library/LaunchAgents").join(format!("{}.plist", self.label))
    }

    fn domain(&self) -> String {
        format!("gui/{}", self.setup.uid)
    }

    async fn ask(&self, arguments: &[&str]) -> Result<CommandOutput, CommandError> {
        run(&self.setup.launchctl, arguments, ORDER_LIMIT).await
    }

    async fn look(&self) -> Found {
        match self.ask(&["print", &self.target]).await {
            Ok(output) if output.succeeded() => match parse_print(&output.stdout, &self.target) {
                Some(job) => Found::Loaded(job),
                None => Found::Unclear(format!("launchctl print: {}", output.reason())),
            },
            Ok(output) if output.code == Some(code::NOT_FOUND) => Found::NotLoaded,
            // 112 and 125: nobody is logged in at the screen. Everything else has never been seen.
            Ok(output) => Found::Unclear(format!("launchctl print: {}", output.reason())),
            Err(error) => Found::Unclear(error.to_string()),
        }
    }

    async fn report(&self) -> ServiceReport {
        match self.look().await {
            Found::Loaded(job) => {
                ServiceReport { state: state(&job), process: self.process(&job), last_exit: job.exit_code() }
            }
            Found::NotLoaded => ServiceReport::of(self.unloaded().await),
            Found::Unclear(reason) => ServiceReport::of(ServiceState::Unknown(reason)),
        }
    }

    async fn unloaded(&self) -> ServiceState {
        if !self.plist().exists() {
            return ServiceState::NotInstalled;
        }
        match self.ask(&["print-disabled", &self.domain()]).await {
            Ok(output) if output.succeeded() && parse_disabled(&output.stdout, &self.label) == Some(true) => {
                ServiceState::Disabled
            }
            Ok(output) if output.succeeded() => ServiceState::NotLoaded,
            Ok(output) => ServiceState::Unknown(format!("launchctl print-disabled: {}", output.reason())),
            Err(error) => ServiceState::Unknown(error.to_string()),
        }
    }

    fn process(&self, job: &Job) -> Option<Identity> {
        let info = identify(job.pid?).filter(|info| info.uid == self.setup.uid)?;
        Some(identity::of(&info))
    }

    /// The process, if launchd has one that is not `old`.
    async fn successor(&self, old: Option<&Identity>, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            if let Found::Loaded(job) = self.look().await
                && let Some(process) = self.process(&job)
                && old.is_none_or(|old| !old.is_same(&process))
            {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            sleep(POLL).await;
        }
    }

    /// Runs a command that must succeed.
    async fn order(&self, arguments: &[&str]) -> Result<(), ServiceError> {
        let output = self.ask(arguments).await?;
        if output.succeeded() { Ok(()) } else { Err(refused(arguments, &output)) }
    }

    /// Starts a loaded job that does not run. Never with `-k`: that kills whatever runs, confirmed or not.
    async fn kickstart(&self) -> Result<(), ServiceError> {
        self.order(&["kickstart", &self.target]).await
    }

    /// Loads the job and starts it. A job that is switched off refuses to load, so it is switched on first.
    async fn bootstrap(&self) -> Result<(), ServiceError> {
        let plist = self.plist();
        if !plist.exists() {
            return Err(ServiceError::Refused {
                action: format!("launchctl bootstrap {}", self.label),
                reason: format!("{} is missing; run `openclaw gateway install`", plist.display()),
            });
        }
        self.order(&["enable", &self.target]).await?;
        let (domain, path) = (self.domain(), plist.to_string_lossy().into_owned());
        let arguments = ["bootstrap", &domain, &path];
        for attempt in 1.. {
            let output = self.ask(&arguments).await?;
            match output.code {
                Some(0) => break,
                // The job may have been loaded all the same.
                Some(code::INPUT_OUTPUT | code::EXISTS | code::ALREADY)
                    if matches!(self.look().await, Found::Loaded(_)) =>
                {
                    break;
                }
                Some(code::INPUT_OUTPUT | code::ALREADY) if attempt < BOOTSTRAP_TRIES => sleep(BOOTSTRAP_WAIT).await,
                _ => return Err(refused(&arguments, &output)),
            }
        }
        // `RunAtLoad` may stay pending; on a running job this does nothing.
        self.kickstart().await
    }

    /// Unloads the job and waits until it is gone. launchd stops its process, and kills it at the job's own
    /// `ExitTimeOut`.
    async fn unload(&self) -> Result<(), ServiceError> {
        let arguments = ["bootout", &self.target];
        let output = self.ask(&arguments).await?;
        if !matches!(output.code, Some(0 | code::NO_SUCH_PROCESS | code::IN_PROGRESS | code::NOT_FOUND)) {
            return Err(refused(&arguments, &output));
        }
        let deadline = Instant::now() + UNLOAD_LIMIT;
        while !matches!(self.look().await, Found::NotLoaded) && Instant::now() < deadline {
            sleep(POLL).await;
        }
        Ok(())
    }

    async fn start(&self) -> Result<(), ServiceError> {
        match self.look().await {
            Found::Loaded(job) if job.pid.is_some() => {
                tracing::info!(pid = job.pid, "nothing to start: launchd runs the gateway");
                Ok(())
            }
            Found::Loaded(_) => self.wake(None).await,
            Found::NotLoaded => self.bootstrap().await,
            Found::Unclear(reason) => Err(self.unclear(reason)),
        }
    }

    /// Brings a loaded job without a process to run: kickstart, and if that changes nothing, unload and load.
    async fn wake(&self, old: Option<&Identity>) -> Result<(), ServiceError> {
        self.kickstart().await?;
        if self.successor(old, PATIENCE).await {
            return Ok(());
        }
        if let Found::Loaded(Job { pid: Some(now), .. }) = self.look().await {
            return Err(ServiceError::ProcessChanged { now });
        }
        tracing::warn!(target = self.target, "kickstart brought no process: loading the job anew");
        self.unload().await?;
        self.bootstrap().await?;
        if self.successor(old, PATIENCE).await {
            return Ok(());
        }
        let look = format!("launchctl print {}", self.target);
        Err(ServiceError::DidNotStart { manager: "launchd", waited: PATIENCE, look })
    }

    /// Stops the confirmed process and lets launchd's `KeepAlive` bring it back.
    async fn restart(&self, heal: &Heal, killed: &(impl Fn() + Send + Sync)) -> Result<(), ServiceError> {
        let job = match self.look().await {
            Found::Loaded(job) => job,
            Found::NotLoaded => return self.bootstrap().await,
            Found::Unclear(reason) => return Err(self.unclear(reason)),
        };
        let Some(running) = self.process(&job) else {
            return match job.pid {
                Some(now) => Err(ServiceError::ProcessChanged { now }),
                None => self.wake(None).await,
            };
        };
        if !heal.target.as_ref().is_some_and(|target| target.is_same(&running)) {
            return Err(ServiceError::ProcessChanged { now: running.pid });
        }
        stop(&running, patience(heal, self.setup.drain_limit), heal.may_kill, killed).await?;
        let throttle = Duration::from_secs(job.throttle.unwrap_or(DEFAULT_THROTTLE).min(LONGEST_THROTTLE));
        let wait = if job.keep_alive { throttle + MARGIN } else { POLL };
        if self.successor(Some(&running), wait).await {
            return Ok(());
        }
        self.wake(Some(&running)).await
    }

    fn unclear(&self, reason: String) -> ServiceError {
        ServiceError::Refused { action: format!("launchctl print {}", self.target), reason }
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
            Rung::Stop => self.unload().await,
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

fn state(job: &Job) -> ServiceState {
    let last = || job.last_exit.clone().unwrap_or_else(|| "not told".to_owned());
    match (job.state.as_str(), job.pid) {
        ("running", Some(_)) => ServiceState::Running,
        ("spawn scheduled" | "xpcproxy", _) => ServiceState::Restarting,
        ("not running" | "waiting", None) => match &job.held_back {
            Some(why) => ServiceState::Failed(format!("launchd holds its start back: {why}; last exit: {}", last())),
            None if job.keep_alive => {
                ServiceState::Failed(format!("launchd keeps it alive, yet does not start it; last exit: {}", last()))
            }
            None => ServiceState::Stopped,
        },
        (state, pid) => ServiceState::Unknown(format!("launchd says {state:?} with process {pid:?}")),
    }
}

fn refused(arguments: &[&str], output: &CommandOutput) -> ServiceError {
    let reason = match output.code {
        Some(code) => format!("{} (code {code})", output.reason()),
        None => output.reason(),
    };
    ServiceError::Refused { action: format!("launchctl {}", arguments.join(" ")), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: &str, pid: Option<u32>, keep_alive: bool, held_back: Option<&str>) -> ServiceState {
        super::state(&Job {
            state: state.to_owned(),
            pid,
            keep_alive,
            held_back: held_back.map(ToOwned::to_owned),
            last_exit: Some("78: EX_CONFIG".to_owned()),
            ..Job::default()
        })
    }

    #[test]
    fn states() {
        assert_eq!(job("running", Some(1), true, None), ServiceState::Running);
        assert_eq!(job("spawn scheduled", None, true, None), ServiceState::Restarting);
        assert_eq!(job("not running", None, false, None), ServiceState::Stopped);
        assert!(matches!(job("not running", None, true, None), ServiceState::Failed(why) if why.contains("78")));
        assert!(
            matches!(job("waiting", None, true, Some("inefficient")), ServiceState::Failed(why) if why.contains("inefficient"))
        );
    }

    #[test]
    fn what_was_never_seen_is_unknown_and_never_stopped() {
        assert!(matches!(job("dreaming", None, false, None), ServiceState::Unknown(_)));
        assert!(matches!(job("", None, false, None), ServiceState::Unknown(_)));
        assert!(matches!(job("running", None, false, None), ServiceState::Unknown(_)));
    }
}
