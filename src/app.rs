//! Wires the rooms together and runs a mode: the menu-bar app, watching in the terminal, the demo.

mod assemble;
mod board;
mod channels;
mod check;
mod diagnostics;
mod import;
mod keeping;
mod log;
mod look;
mod practice;
mod reload;
mod serve;
mod ticker;

use std::process::ExitCode;
#[cfg(feature = "tray")]
use std::time::Duration;

use tokio::runtime::Runtime;
use tracing::{info, warn};

pub use check::check;
pub use import::{NotTakenOver, TakeOver, take_over_crashes};
pub use keeping::{install_agent, uninstall_agent};
pub use look::look;

use self::serve::Running;
use crate::config::Config;
use crate::config::environment::Environment;
use crate::config::paths::Paths;
use crate::drill::practice::{PracticeError, PracticeOptions};
use crate::platform::desktop::login_item::{self, LoginItem, LoginItemError};
use crate::text::Language;

/// Worker threads for several gateways: a system call that is stuck for one must not hold up the others. One gateway needs
/// one: two wake each other for every answer.
const WORKERS: usize = 2;

/// How long quitting may take: the engine's and the alerts' own limits, and a margin.
#[cfg(feature = "tray")]
const QUIT_LIMIT: Duration = Duration::from_secs(12);

/// All that a mode is started with.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Where things are kept.
    pub paths: &'a Paths,
    /// The environment.
    pub environment: &'a Environment,
    /// The language of everything that a person reads.
    pub language: Language,
    /// Why this is not the person's own configuration, ready to be read. Then Lifeguard looks and keeps its hands
    /// off: what the person wanted is not known.
    pub notice: Option<&'a str>,
}

/// A setting that is kept for as long as Lifeguard runs.
#[derive(Debug, Clone)]
struct KeptSetting {
    config: Config,
    paths: Paths,
    environment: Environment,
    language: Language,
    notice: Option<String>,
}

impl KeptSetting {
    fn of(setting: &Setting<'_>) -> Self {
        Self {
            config: setting.config.clone(),
            paths: setting.paths.clone(),
            environment: setting.environment.clone(),
            language: setting.language,
            notice: setting.notice.map(str::to_owned),
        }
    }

    fn setting(&self) -> Setting<'_> {
        Setting {
            config: &self.config,
            paths: &self.paths,
            environment: &self.environment,
            language: self.language,
            notice: self.notice.as_deref(),
        }
    }
}

/// Why a mode could not run.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The runtime could not be started.
    #[error("the system gave Lifeguard no threads: {0}; close other programs and try again")]
    NoRuntime(std::io::Error),
    /// The log file could not be opened.
    #[error("the log {path} cannot be written: {cause}; make its folder writable, or set LIFEGUARD_STATE_DIR")]
    NoLog {
        /// The file.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Not even a history in memory could be begun.
    #[error(transparent)]
    History(#[from] crate::history::HistoryError),
    /// The control socket could not be opened.
    #[error(transparent)]
    Control(#[from] crate::control::server::OpenError),
    /// A channel of alerts, or the dead-man's switch, cannot be set up.
    #[error("[{0}] in the configuration does not serve: check its addresses and keys")]
    Channel(&'static str),
    /// The practice gateway's places could not be made.
    #[error("the practice gateway could not be set up in {path}: {cause}; make the folder writable")]
    NoPractice {
        /// The folder.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The practice gateway itself could not run.
    #[error(transparent)]
    Practice(#[from] PracticeError),
    /// The login item could not be changed.
    #[error(transparent)]
    LoginItem(#[from] LoginItemError),
    /// Lifeguard's own agent could not be installed or taken away.
    #[error(transparent)]
    Keeper(#[from] crate::service::keeper::KeeperError),
    /// What another watchdog has counted could not be taken over.
    #[error(transparent)]
    NotTakenOver(NotTakenOver),
    /// The terminal could not be written to.
    #[error("cannot write to the terminal: {0}")]
    Terminal(std::io::Error),
}

/// The menu-bar app; in the terminal where no icon can be shown.
pub fn run_desktop(setting: &Setting<'_>) -> Result<ExitCode, AppError> {
    let runtime = runtime_for(setting.config.watched().len())?;
    log::start(setting.paths)?;
    let running = runtime.block_on(serve::start(setting))?;
    show(setting, runtime, running)
}

/// Watching and healing without an icon.
pub fn run_watch(setting: &Setting<'_>) -> Result<ExitCode, AppError> {
    let runtime = runtime_for(setting.config.watched().len())?;
    log::start(setting.paths)?;
    let running = runtime.block_on(serve::start(setting))?;
    Ok(in_terminal(setting, &runtime, running))
}

/// Everything on the practice gateway, in places of its own. The practice gateway ends with it.
pub fn run_demo(setting: &Setting<'_>) -> Result<ExitCode, AppError> {
    let config = practice::config(setting.config, setting.paths)?;
    run_desktop(&Setting { config: &config, ..*setting })
}

/// The process that a demo watches.
pub fn run_practice_gateway(options: PracticeOptions) -> Result<ExitCode, AppError> {
    let code = runtime()?.block_on(crate::drill::practice::run(options))?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Whether there is a gateway that Lifeguard could watch: a service, a process, or a command that starts one.
pub fn finds_gateway(setting: &Setting<'_>) -> Result<bool, AppError> {
    Ok(runtime()?.block_on(assemble::finds_gateway(setting)))
}

/// What to do with the login item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginItemChange {
    /// Start at login.
    On,
    /// No longer.
    Off,
    /// Leave it.
    Keep,
}

/// Changes the login item; what the system will do at the next login.
pub fn login_item(change: LoginItemChange) -> Result<LoginItem, AppError> {
    match change {
        LoginItemChange::On => login_item::set(true)?,
        LoginItemChange::Off => login_item::set(false)?,
        LoginItemChange::Keep => {}
    }
    Ok(login_item::state())
}

fn runtime() -> Result<Runtime, AppError> {
    runtime_for(1)
}

/// A runtime in which so many gateways are watched.
fn runtime_for(gateways: usize) -> Result<Runtime, AppError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(gateways.clamp(1, WORKERS))
        .enable_all()
        .build()
        .map_err(AppError::NoRuntime)
}

#[cfg(feature = "tray")]
fn show(setting: &Setting<'_>, runtime: Runtime, running: Running) -> Result<ExitCode, AppError> {
    use crate::tray::app::{TraySetup, run};

    let setup = TraySetup {
        language: setting.language,
        monochrome: setting.config.tray.monochrome,
        login_item: Box::new(login_item::state),
        #[cfg(target_os = "macos")]
        on_sleep: {
            let sleeps = running.sleeps.clone();
            Box::new(move |notice| serve::pass_on(&sleeps, notice))
        },
        #[cfg(target_os = "macos")]
        on_hidden: {
            let (handle, language) = (runtime.handle().clone(), setting.language);
            let allowed = setting.config.alerts.native.enabled;
            Box::new(move || drop(handle.spawn(tell_hidden(language, allowed))))
        },
    };
    let (snapshots, actions) = (running.snapshots.clone(), running.actions.clone());
    let shared = std::sync::Arc::new(std::sync::Mutex::new(Some((runtime, running))));
    let ending = std::sync::Arc::clone(&shared);
    // The session may end the process right after this: the engine's state and the alerts go first.
    let on_exit = Box::new(move || {
        if let Some((runtime, running)) = take(&ending) {
            quit(&runtime, running);
        }
    });
    match run(setup, snapshots, actions, on_exit) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            warn!(%error, "no icon");
            let Some((runtime, running)) = take(&shared) else { return Ok(ExitCode::FAILURE) };
            ticker::say_line(&error.to_string()).map_err(AppError::Terminal)?;
            Ok(in_terminal(setting, &runtime, running))
        }
    }
}

/// Tells that macOS keeps the icon where nobody can see it, and what to do.
#[cfg(all(target_os = "macos", feature = "tray"))]
async fn tell_hidden(language: Language, notify: bool) {
    use crate::alert::native::note::{Look, Loudness, Note};
    use crate::alert::native::{NativeSettings, tell};
    use crate::text::Phrase;
    use crate::text::icon::IconPhrase;

    warn!("macOS shows the icon nowhere: System Settings > Menu Bar, or no room");
    if !notify {
        return;
    }
    let note = Note {
        key: "icon-hidden".to_owned(),
        title: IconPhrase::Hidden.say(language),
        body: IconPhrase::Guidance.say(language),
        loudness: Loudness::Usual,
        look: Look::Caution,
        stays: true,
        buttons: Vec::new(),
    };
    if let Err(problem) = tell(&NativeSettings::default(), &note, language).await {
        warn!(problem = problem.say(Language::English), "nor can that be told");
    }
}

#[cfg(feature = "tray")]
fn take<Value>(shared: &std::sync::Mutex<Option<Value>>) -> Option<Value> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
}

#[cfg(not(feature = "tray"))]
#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "the same face as with an icon")]
fn show(setting: &Setting<'_>, runtime: Runtime, running: Running) -> Result<ExitCode, AppError> {
    Ok(in_terminal(setting, &runtime, running))
}

/// Prints each change until somebody ends it.
fn in_terminal(setting: &Setting<'_>, runtime: &Runtime, running: Running) -> ExitCode {
    let snapshots = running.snapshots.clone();
    let told = runtime.block_on(ticker::follow(snapshots, setting.language));
    if let Err(error) = &told {
        warn!(%error, "the terminal is gone; watching goes on");
    }
    runtime.block_on(running.ended());
    info!("ended");
    ExitCode::SUCCESS
}

#[cfg(feature = "tray")]
fn quit(runtime: &Runtime, running: Running) {
    let ended = runtime.block_on(async { tokio::time::timeout(QUIT_LIMIT, running.quit()).await });
    if ended.is_err() {
        warn!("quitting took too long; what was not saved yet is lost");
    }
}
