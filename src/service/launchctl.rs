//! One label's conversation with `launchctl`: one command at a time, codes told apart, limits on every wait.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::ServiceError;
use super::command::{CommandError, CommandOutput, run};
use answers::{parse_list, parse_print};

pub(super) use answers::{Job, parse_disabled};

pub mod answers;

/// Limit for one command to launchd.
const ORDER_LIMIT: Duration = Duration::from_secs(10);

/// How often a change is looked for.
pub(super) const POLL: Duration = Duration::from_millis(500);

/// `ExitTimeOut` where the job names none, in seconds: launchd kills a job that it unloads after this time
/// (`launchd.plist(5)`).
const DEFAULT_EXIT_TIME_OUT: u64 = 20;

/// Beyond `ExitTimeOut`, how long an unloaded job may take to be gone.
const UNLOAD_MARGIN: Duration = Duration::from_secs(5);

/// A job is loaded this often when launchd answers with one of the codes that may pass.
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
    /// There is no such domain.
    pub(super) const NO_DOMAIN: i32 = 112;
    /// There is no such service in this domain.
    pub(super) const NOT_FOUND: i32 = 113;
    /// The domain is not one for agents: reached from outside the session, as over ssh.
    pub(super) const WRONG_DOMAIN: i32 = 125;
}

/// What launchd knows of a job.
#[derive(Debug)]
pub(super) enum Found {
    /// It is loaded.
    Loaded(Job),
    /// It is not.
    NotLoaded,
    /// Nobody can tell, for this reason.
    Unclear(String),
}

/// The jobs of one user, and one label among them.
#[derive(Debug)]
pub(super) struct Launchctl {
    program: PathBuf,
    label: String,
    /// `gui/UID`.
    domain: String,
    /// `gui/UID/LABEL`.
    target: String,
    /// Commands for one label must not overlap.
    turn: tokio::sync::Mutex<()>,
}

impl Launchctl {
    pub(super) fn new(program: PathBuf, uid: u32, label: &str) -> Self {
        let domain = format!("gui/{uid}");
        let target = format!("{domain}/{label}");
        Self { program, label: label.to_owned(), domain, target, turn: tokio::sync::Mutex::new(()) }
    }

    /// `gui/UID/LABEL`.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    async fn ask(&self, arguments: &[&str]) -> Result<CommandOutput, CommandError> {
        let _turn = self.turn.lock().await;
        run(&self.program, arguments, ORDER_LIMIT).await
    }

    /// What launchd knows of the job: `print` first, and where that speaks in words never seen, the older `list`.
    pub(super) async fn look(&self) -> Found {
        match self.ask(&["print", &self.target]).await {
            Ok(output) if output.succeeded() => match parse_print(&output.stdout, &self.target) {
                Some(job) => Found::Loaded(job),
                None => self.look_at_list(&output).await,
            },
            Ok(output) => match output.code {
                Some(code::NOT_FOUND) => Found::NotLoaded,
                Some(code::NO_DOMAIN | code::WRONG_DOMAIN) => {
                    Found::Unclear(format!("nobody is logged in at the screen: {}", output.reason()))
                }
                _ => Found::Unclear(format!("launchctl print: {}", output.reason())),
            },
            Err(error) => Found::Unclear(error.to_string()),
        }
    }

    async fn look_at_list(&self, print: &CommandOutput) -> Found {
        let unclear = || Found::Unclear(format!("launchctl print: {}", print.reason()));
        match self.ask(&["list", &self.label]).await {
            Ok(output) if output.succeeded() => {
                parse_list(&output.stdout, &self.label).map_or_else(unclear, Found::Loaded)
            }
            Ok(_) | Err(_) => unclear(),
        }
    }

    /// Whether somebody has switched the label off.
    pub(super) async fn is_disabled(&self) -> Result<bool, ServiceError> {
        let arguments = ["print-disabled", &self.domain];
        let output = self.ask(&arguments).await?;
        if !output.succeeded() {
            return Err(refused(&arguments, &output));
        }
        Ok(parse_disabled(&output.stdout, &self.label) == Some(true))
    }

    /// Starts a loaded job that does not run. Never with `-k`: that kills whatever runs, confirmed or not.
    pub(super) async fn kickstart(&self) -> Result<(), ServiceError> {
        self.order(&["kickstart", &self.target]).await
    }

    /// Loads the job of this plist, switched on first: a job that is switched off refuses to load.
    pub(super) async fn load(&self, plist: &Path) -> Result<(), ServiceError> {
        let path = plist.to_string_lossy();
        let arguments = ["bootstrap", &self.domain, &path];
        for attempt in 1.. {
            self.order(&["enable", &self.target]).await?;
            let output = self.ask(&arguments).await?;
            match output.code {
                Some(0) => break,
                Some(code::INPUT_OUTPUT | code::EXISTS | code::IN_PROGRESS | code::ALREADY) => {
                    // It may have been loaded all the same.
                    if matches!(self.look().await, Found::Loaded(_)) {
                        break;
                    }
                    if attempt == BOOTSTRAP_TRIES {
                        return Err(refused(&arguments, &output));
                    }
                    tracing::info!(
                        attempt,
                        reason = output.reason(),
                        "launchd did not load the job: again in a moment"
                    );
                    sleep(BOOTSTRAP_WAIT).await;
                }
                _ => return Err(refused(&arguments, &output)),
            }
        }
        Ok(())
    }

    /// Unloads the job and waits until it is gone. launchd stops its process, and kills it at the job's own
    /// `ExitTimeOut`.
    pub(super) async fn unload(&self) -> Result<(), ServiceError> {
        let time_out = match self.look().await {
            Found::Loaded(job) => job.exit_time_out,
            Found::NotLoaded => return Ok(()),
            Found::Unclear(reason) => return Err(self.unclear(reason)),
        };
        let arguments = ["bootout", &self.target];
        let output = self.ask(&arguments).await?;
        if !matches!(output.code, Some(0 | code::NO_SUCH_PROCESS | code::IN_PROGRESS | code::NOT_FOUND)) {
            return Err(refused(&arguments, &output));
        }
        let limit = Duration::from_secs(time_out.unwrap_or(DEFAULT_EXIT_TIME_OUT)) + UNLOAD_MARGIN;
        let deadline = Instant::now() + limit;
        while !matches!(self.look().await, Found::NotLoaded) {
            if Instant::now() >= deadline {
                let reason = format!("it is still loaded after {} s", limit.as_secs());
                return Err(ServiceError::Refused { action: action(&arguments), reason });
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Why nothing is done while launchd cannot be asked.
    pub(super) fn unclear(&self, reason: String) -> ServiceError {
        ServiceError::Refused { action: action(&["print", &self.target]), reason }
    }

    /// Runs a command that must succeed.
    async fn order(&self, arguments: &[&str]) -> Result<(), ServiceError> {
        let output = self.ask(arguments).await?;
        if output.succeeded() { Ok(()) } else { Err(refused(arguments, &output)) }
    }
}

fn action(arguments: &[&str]) -> String {
    format!("launchctl {}", arguments.join(" "))
}

fn refused(arguments: &[&str], output: &CommandOutput) -> ServiceError {
    let reason = match output.code {
        Some(code) => format!("{} (code {code})", output.reason()),
        None => output.reason(),
    };
    ServiceError::Refused { action: action(arguments), reason }
}
