//! The life of a practice gateway: starting, ready, draining, restarting in the same process, and the ways to end.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::boots::Boots;
use super::configuration::{Configuration, Refusal};
use super::console::{say, say_plain};
use super::control::{Death, Faults};
use super::endpoints::Phase;
use super::http::{Face, Listeners, Stage};
use super::lock::{Lock, Taken};
use super::signals::{Received, Signals};
use super::{PracticeError, PracticeOptions, already_running};
use crate::drill::faults::take_start_crash;

/// How often the configuration file is looked at.
const RELOAD_INTERVAL: Duration = Duration::from_millis(200);

/// A running practice gateway.
pub(super) struct Gateway {
    pub(super) options: PracticeOptions,
    pub(super) config_path: PathBuf,
    pub(super) configuration: Configuration,
    /// What the file held when it was last looked at.
    pub(super) found: Result<Configuration, Refusal>,
    pub(super) port: u16,
    pub(super) lock: Option<Lock>,
    pub(super) boots: Boots,
    pub(super) faults: watch::Sender<Faults>,
    pub(super) seen: watch::Receiver<Faults>,
    pub(super) deaths: mpsc::Receiver<Death>,
    pub(super) signals: Signals,
    /// A signal that came while the gateway hung.
    pub(super) held: Option<Received>,
}

/// What a gateway that waits is woken by.
enum News {
    Signal(Received),
    Death(Death),
}

/// How a generation ended.
enum End {
    /// In order, with this exit code.
    Exit(u8),
    /// Without any tidying up.
    Died(Death),
    /// To be followed by another one in this process.
    Restart,
}

impl Gateway {
    /// Runs until the process is to end; gives its exit code.
    pub(super) async fn live(mut self) -> Result<i32, PracticeError> {
        let mut quiet = self.options.startup / 2;
        loop {
            let mut end = self.generation(quiet).await?;
            if matches!(end, End::Restart) {
                end = self.reload_for_restart().await?;
                quiet = self.options.restart;
            }
            match end {
                End::Restart => {}
                End::Exit(code) => {
                    self.release()?;
                    self.boots.end_clean().map_err(|source| self.unusable(source))?;
                    return Ok(i32::from(code));
                }
                End::Died(Death::Exit(code)) => return Ok(i32::from(code)),
                End::Died(Death::Abort) => {
                    say_plain("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory");
                    std::process::abort();
                }
            }
        }
    }

    /// One life of the HTTP server, after `quiet` without it.
    async fn generation(&mut self, quiet: Duration) -> Result<End, PracticeError> {
        if let Some(end) = self.wait(quiet).await {
            return Ok(end);
        }
        let crash = take_start_crash(&self.options.state_dir).map_err(|source| self.unusable(source))?;
        match crash.or(self.options.exit_at_start) {
            None => {}
            Some(code @ (0 | 78)) => return Ok(End::Exit(code)),
            Some(code) => {
                say_plain("Gateway failed to start: practice fault");
                return Ok(End::Died(Death::Exit(code)));
            }
        }
        say("gateway", "starting HTTP server...");
        let listeners = match self.bind().await? {
            Ok(listeners) => listeners,
            Err(end) => return Ok(end),
        };
        self.serve(listeners).await
    }

    /// Opens the port, or gives up after the allowed tries.
    async fn bind(&mut self) -> Result<Result<Listeners, End>, PracticeError> {
        let port = self.port;
        for tried in 0..=self.options.port_tries {
            match Listeners::bind(port) {
                Ok(listeners) => return Ok(Ok(listeners)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(source) => return Err(PracticeError::Port { port, source }),
            }
            if tried < self.options.port_tries
                && let Some(end) = self.wait(self.options.port_retry).await
            {
                return Ok(Err(end));
            }
        }
        say_plain(format_args!(
            "Gateway failed to start: another gateway instance is already listening on ws://127.0.0.1:{port} | listen EADDRINUSE: address already in use 127.0.0.1:{port}"
        ));
        say_plain(format_args!("Port {port} is already in use."));
        Ok(Err(End::Exit(1)))
    }

    async fn serve(&mut self, listeners: Listeners) -> Result<End, PracticeError> {
        let stage = watch::Sender::new(Stage {
            phase: Phase::Starting,
            held_back: Vec::new(),
            has_page: self.configuration.has_page(),
        });
        let born = Instant::now();
        let face = Face {
            version: self.options.version_like,
            born,
            stage: stage.subscribe(),
            faults: self.faults.subscribe(),
        };
        let mut servers = listeners.serve(&face);
        say("gateway", "http server listening (0 plugins)");
        say("gateway", "starting channels and sidecars...");
        let mut end = self.wait(self.options.sidecars).await;
        if end.is_none() {
            say("gateway", "ready");
            say("heartbeat", "started");
        }
        let end = loop {
            if let Some(end) = end {
                break end;
            }
            let held_back = if self.boots.tripped() { self.configuration.channels() } else { Vec::new() };
            let has_page = self.configuration.has_page();
            stage.send_replace(Stage { phase: Phase::Ready, held_back, has_page });
            end = self.wait(RELOAD_INTERVAL).await;
            self.reload();
        };
        if matches!(end, End::Died(_)) {
            return Ok(end);
        }
        stage.send_modify(|stage| stage.phase = Phase::Draining);
        let slow = self.faults.borrow().slow_stop;
        let drain = slow.map_or(self.options.drain, |slow| slow.drain);
        if let Some(death) = self.drain(drain).await {
            return Ok(End::Died(death));
        }
        servers.shutdown().await;
        match (end, slow) {
            (End::Exit(_), Some(slow)) => match self.drain(slow.linger).await {
                Some(death) => Ok(End::Died(death)),
                None => Ok(End::Exit(slow.code)),
            },
            (end, _) => {
                say("shutdown", format_args!("completed cleanly in {}ms", drain.as_millis()));
                Ok(end)
            }
        }
    }

    /// After a restart signal: goes on in this process, or ends for the supervisor to start it again. With a
    /// configuration that cannot be used it stays, as a zombie: alive, port closed, no lock.
    async fn reload_for_restart(&mut self) -> Result<End, PracticeError> {
        self.faults.send_replace(Faults::default());
        if is_supervised() {
            say("gateway", "restart mode: full process restart (supervisor restart)");
            return Ok(End::Exit(0));
        }
        loop {
            say("gateway", "restart mode: in-process restart (container: use in-process restart to keep PID 1 alive)");
            self.release()?;
            let reason = match Configuration::load(&self.config_path) {
                Ok(configuration) => {
                    self.found = Ok(configuration.clone());
                    self.configuration = configuration;
                    let taken = Lock::take(&self.options.state_dir, &self.config_path, self.port);
                    match taken.map_err(|source| self.unusable(source))? {
                        Taken::Ours(lock) => {
                            self.lock = Some(lock);
                            return Ok(End::Restart);
                        }
                        Taken::Held { pid } => already_running(self.options.version_like, pid),
                    }
                }
                Err(Refusal::NoMode(detail)) => {
                    format!("Invalid config at {}:\n<root>: {detail}", self.config_path.display())
                }
                Err(refusal) => refusal.to_string(),
            };
            say(
                "gateway",
                format_args!("startup failed: {reason}. Process will stay alive; fix the issue and restart."),
            );
            match self.news().await {
                News::Death(death) => return Ok(End::Died(death)),
                News::Signal(signal) => match self.heed(signal) {
                    None | Some(End::Restart) => {}
                    Some(end) => return Ok(end),
                },
            }
        }
    }

    /// Lets time pass, unless something ends it early.
    async fn wait(&mut self, duration: Duration) -> Option<End> {
        let until = tokio::time::Instant::now() + duration;
        while let Ok(news) = tokio::time::timeout_at(until, self.news()).await {
            match news {
                News::Death(death) => return Some(End::Died(death)),
                News::Signal(signal) => {
                    if let Some(end) = self.heed(signal) {
                        return Some(end);
                    }
                }
            }
        }
        None
    }

    /// Lets time pass on the way down, when only death ends it early.
    async fn drain(&mut self, duration: Duration) -> Option<Death> {
        let until = tokio::time::Instant::now() + duration;
        while let Ok(news) = tokio::time::timeout_at(until, self.news()).await {
            match news {
                News::Death(death) => return Some(death),
                News::Signal(Received::Stop(name) | Received::Restart(name)) => {
                    say("gateway", format_args!("received {name} during shutdown; ignoring"));
                }
                News::Signal(Received::Inspector) => {}
            }
        }
        None
    }

    /// What a signal leads to.
    fn heed(&self, signal: Received) -> Option<End> {
        match signal {
            Received::Stop(name) => {
                say("gateway", format_args!("received {name}; shutting down"));
                Some(End::Exit(0))
            }
            Received::Restart(name) if self.configuration.restart_allowed() => {
                say("gateway", format_args!("received {name}; restarting"));
                Some(End::Restart)
            }
            Received::Restart(name) => {
                say("gateway", format_args!("{name} restart ignored (not authorized; commands.restart=false)"));
                None
            }
            Received::Inspector => {
                say("gateway", "SIGUSR1: the real gateway would open its inspector on 127.0.0.1:9229 now");
                None
            }
        }
    }

    /// The next signal or fatal fault. While the gateway hangs, signals stay pending.
    async fn news(&mut self) -> News {
        loop {
            if !self.seen.borrow_and_update().hang
                && let Some(signal) = self.held.take()
            {
                return News::Signal(signal);
            }
            tokio::select! {
                signal = self.signals.next(), if self.held.is_none() => self.held = Some(signal),
                Some(death) = self.deaths.recv() => return News::Death(death),
                Ok(()) = self.seen.changed() => {}
            }
        }
    }

    /// Takes up a changed configuration file, or keeps the old configuration if the new one cannot be used.
    fn reload(&mut self) {
        let found = Configuration::load(&self.config_path);
        if self.found == found {
            return;
        }
        match &found {
            Ok(new) => {
                let paths = self.configuration.changed_paths(new).join(", ");
                say("reload", format_args!("config change detected; evaluating reload ({paths})"));
                say("reload", format_args!("config hot reload applied ({paths})"));
                self.configuration = new.clone();
            }
            Err(Refusal::NoMode(detail)) => {
                say("reload", format_args!("config reload skipped (invalid config): : {detail}"));
            }
            Err(refusal) => say("reload", format_args!("config reload skipped (invalid config): {refusal}")),
        }
        self.found = found;
    }

    fn release(&mut self) -> Result<(), PracticeError> {
        match self.lock.take() {
            Some(lock) => lock.release().map_err(|source| self.unusable(source)),
            None => Ok(()),
        }
    }

    fn unusable(&self, source: io::Error) -> PracticeError {
        PracticeError::StateDir { path: self.options.state_dir.clone(), source }
    }
}

/// Whether a supervisor would start the gateway again, by the marks that the real one goes by.
fn is_supervised() -> bool {
    std::env::var("OPENCLAW_SUPERVISOR_MODE").is_ok_and(|mode| mode == "external")
        || ["OPENCLAW_SYSTEMD_UNIT", "INVOCATION_ID", "OPENCLAW_LAUNCHD_LABEL"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
