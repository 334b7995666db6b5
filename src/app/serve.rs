//! The running app: engine, alerts, control socket, and the one queue of what people ask for.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::board::Board;
use super::diagnostics::diagnostics;
use super::{AppError, KeptSetting, Setting, assemble, channels, check, log, practice, reload};
use crate::alert::report::reporter;
use crate::alert::{AlertHandle, AlertHub};
use crate::config::MEGABYTE;
use crate::control::server::ControlSocket;
use crate::engine::{self, Books, Engine, GatewaySpec};
use crate::history::History;
use crate::history::recorder::Recorder;
use crate::metrics::Metrics;
use crate::platform::boot_id;
use crate::platform::desktop::login_item::{self, LoginItem};
use crate::platform::desktop::{clipboard, open};
#[cfg(target_os = "linux")]
use crate::platform::sleep;
#[cfg(any(target_os = "linux", feature = "tray"))]
use crate::platform::sleep::SleepNotice;
use crate::request::{Receipt, UserAction};
use crate::snapshot::{GatewaySnapshot, Snapshot};
use crate::web::WebServer;

/// Wishes that may wait; a person asks seldom.
const WISHES: usize = 64;

/// How long quitting waits for alerts that are still to be delivered.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// The running app, seen from a mode.
pub(super) struct Running {
    pub(super) snapshots: watch::Receiver<Snapshot>,
    pub(super) actions: mpsc::Sender<UserAction>,
    /// What the system says of sleep goes here; on macOS it says so to the thread of the icon.
    #[cfg(all(target_os = "macos", feature = "tray"))]
    pub(super) sleeps: watch::Sender<Option<SleepNotice>>,
    task: JoinHandle<()>,
}

impl Running {
    /// Asks it to quit, and waits until it has.
    #[cfg_attr(not(feature = "tray"), expect(dead_code, reason = "in the terminal a signal ends it"))]
    pub(super) async fn quit(self) {
        // A full queue is emptied by the task itself; a closed one means that it has quit already.
        if self.actions.send(UserAction::Quit).await.is_err() {
            info!("quitting already");
        }
        self.ended().await;
    }

    /// Waits until it has quit.
    pub(super) async fn ended(self) {
        if let Err(error) = self.task.await {
            error!(%error, "the app's task ended in a way that it should not have");
        }
    }
}

/// What the app's task works with.
struct Desk {
    engine: Engine,
    alerts: AlertHandle,
    snapshots: watch::Receiver<Snapshot>,
    state_dir: PathBuf,
    practice: bool,
}

/// Starts everything but the view.
pub(super) async fn start(setting: &Setting<'_>) -> Result<Running, AppError> {
    info!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "Lifeguard starts");
    let socket = ControlSocket::open(&setting.paths.socket).await?;
    let (actions, wishes) = mpsc::channel(WISHES);
    let opened = History::open(&setting.paths.state_dir, boot_id(), engine::now())?;
    let history = Arc::new(opened.history);
    let opened_on_disk = history.is_on_disk();
    let alerts = AlertHub::start(channels::alerts(setting)?, Arc::clone(&history), actions.clone());
    let deadman = channels::deadman(setting)?;
    let mut specs = assemble::gateways(setting, &history).await;
    if let Some(problem) = opened.problem.map(|problem| problem.to_string()) {
        error!("{problem}");
        add_notice(&mut specs, &problem);
    }
    let web = open_web(setting, &mut specs).await;
    let practice = specs.iter().any(|spec| spec.practice);
    let reports = channels::reports(setting, &specs);
    let limit = setting.config.history.limit_megabytes.saturating_mul(MEGABYTE);
    let recorder = Arc::new(Recorder::open(Arc::clone(&history), limit));
    let books = Books { recorder, metrics: Arc::new(Metrics::default()) };
    let metrics = Arc::clone(&books.metrics);
    let logs = specs.iter().map(|spec| spec.setup.log_path.clone()).collect();
    tokio::spawn(log::tend(logs));
    let engine = Engine::start(specs, &alerts, books, web.as_ref().map(WebServer::url));
    #[cfg(any(target_os = "linux", feature = "tray"))]
    let sleeps = engine.sleeps();
    #[cfg(target_os = "linux")]
    tokio::spawn(sleep::follow(move |notice| pass_on(&sleeps, notice)));
    let board = Board::start(engine.snapshots());
    let snapshots = board.snapshots();
    // A demo's gateway is not the person's.
    if !practice {
        tokio::spawn(check::rounds(KeptSetting::of(setting), board.clone(), Arc::clone(&history), alerts.clone()));
        tokio::spawn(reload::follow(KeptSetting::of(setting), board, engine.tunings()));
    }
    if let Some(web) = web {
        // The page reads beside the writer and never makes it wait.
        let past = if opened_on_disk {
            Arc::new(History::look(&setting.paths.state_dir, boot_id())?)
        } else {
            Arc::clone(&history)
        };
        let serving = web.serve(assemble::web(setting), snapshots.clone(), past, metrics, std::future::pending());
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                error!(%error, "the status page broke; it is gone until Lifeguard is restarted");
            }
        });
    }
    if let Some(settings) = deadman {
        let pictures = snapshots.clone();
        tokio::spawn(async move {
            if let Err(error) = crate::alert::deadman::run(settings, pictures).await {
                error!(%error, "the dead-man's switch does not work");
            }
        });
    }
    tokio::spawn(reporter::run(reports, history, alerts.clone(), snapshots.clone()));
    let (stop_socket, stopped) = oneshot::channel::<()>();
    let serving = socket.serve(snapshots.clone(), actions.clone(), async {
        // An error means that the sender was dropped: the app is ending.
        let _ = stopped.await;
    });
    let server = tokio::spawn(async move {
        if let Err(error) = serving.await {
            error!(%error, "the control socket broke; the command line cannot reach Lifeguard until it is restarted");
        }
    });
    let state_dir = setting.paths.state_dir.clone();
    let desk = Desk { engine, alerts, snapshots: snapshots.clone(), state_dir, practice };
    let task = tokio::spawn(async move {
        desk.work(wishes).await;
        drop(stop_socket);
        if let Err(error) = server.await {
            error!(%error, "the control socket's task ended in a way that it should not have");
        }
    });
    Ok(Running {
        snapshots,
        actions,
        #[cfg(all(target_os = "macos", feature = "tray"))]
        sleeps,
        task,
    })
}

/// Tells every gateway's task what the system says of sleep.
#[cfg(any(target_os = "linux", feature = "tray"))]
pub(super) fn pass_on(sleeps: &watch::Sender<Option<SleepNotice>>, notice: SleepNotice) {
    info!(?notice, "the system says");
    sleeps.send_replace(Some(notice));
}

/// Opens the port of the status page. If that cannot be, it is said, and everything else works.
async fn open_web(setting: &Setting<'_>, specs: &mut [GatewaySpec]) -> Option<WebServer> {
    let web = &setting.config.web;
    if !web.enabled {
        return None;
    }
    match WebServer::bind(web.port).await {
        Ok(server) => {
            info!(url = server.url(), "status page");
            Some(server)
        }
        Err(problem) => {
            warn!("{problem}");
            add_notice(specs, &problem.to_string());
            None
        }
    }
}

/// Adds to what the person is told of Lifeguard itself.
fn add_notice(specs: &mut [GatewaySpec], problem: &str) {
    for spec in specs {
        let before = spec.notice.take();
        spec.notice = Some(before.map_or_else(|| problem.to_owned(), |notice| format!("{notice} · {problem}")));
    }
}

/// Logs receipts and hands them to whoever waits for them.
fn hand_back(receipts: Vec<Receipt>, reply: Option<oneshot::Sender<Vec<Receipt>>>, what: &str) {
    for receipt in &receipts {
        info!(channel = receipt.channel, problem = receipt.problem, "{what}");
    }
    if reply.is_some_and(|reply| reply.send(receipts).is_err()) {
        info!("nobody waits for the receipts any more");
    }
}

/// Changes the login item. What the person must still allow, the system's settings show.
async fn set_login_item(on: bool) {
    let changed = tokio::task::spawn_blocking(move || login_item::set(on).map(|()| login_item::state())).await;
    match changed {
        Ok(Ok(LoginItem::NeedsApproval)) if on => {
            info!("the login item waits for the person's approval");
            if let Err(error) = open::open(login_item::SETTINGS).await {
                warn!(%error, "the system's settings could not be opened");
            }
        }
        Ok(Ok(state)) => info!(on, ?state, "login item"),
        Ok(Err(error)) => error!(%error, "the login item could not be changed"),
        Err(error) => error!(%error, "the login item's task ended in a way that it should not have"),
    }
}

impl Desk {
    async fn work(self, mut wishes: mpsc::Receiver<UserAction>) {
        let ended = async {
            match (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup())) {
                (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) => {
                    tokio::select! {
                        _ = terminate.recv() => "SIGTERM",
                        _ = interrupt.recv() => "SIGINT",
                        _ = hangup.recv() => "SIGHUP",
                    }
                }
                _ => std::future::pending().await,
            }
        };
        tokio::pin!(ended);
        loop {
            tokio::select! {
                signal = &mut ended => {
                    info!(signal, "asked to end");
                    break;
                }
                wish = wishes.recv() => match wish {
                    Some(UserAction::Quit) | None => break,
                    Some(wish) => self.grant(wish).await,
                },
            }
        }
        self.engine.stop().await;
        if self.practice {
            practice::stop(&self.snapshots.borrow());
        }
        let undelivered = self.alerts.flush(FLUSH_LIMIT).await;
        if undelivered > 0 {
            warn!(undelivered, "alerts could not be delivered before the end");
        }
        info!("Lifeguard ends; the gateway keeps running");
    }

    /// Does one wish. What takes long runs beside.
    async fn grant(&self, wish: UserAction) {
        match wish {
            UserAction::Gateway { gateway, command, reply } => {
                self.engine.command(gateway.as_deref(), command, reply).await;
            }
            UserAction::OpenLog { gateway } => self.open(gateway.as_deref(), "log", |gateway| gateway.log.clone()),
            UserAction::OpenIncident { gateway } => {
                self.open(gateway.as_deref(), "newest incident", |gateway| gateway.evidence.clone());
            }
            UserAction::TestAlerts { channel, reply } => {
                let alerts = self.alerts.clone();
                tokio::spawn(async move { hand_back(alerts.test(channel.as_deref()).await, reply, "test alert") });
            }
            UserAction::OpenPage => self.open_page(),
            UserAction::RetryAlerts { channel, reply } => {
                let alerts = self.alerts.clone();
                tokio::spawn(async move { hand_back(alerts.retry(channel.as_deref()).await, reply, "alerts retried") });
            }
            UserAction::MuteAlerts(mute) => match self.alerts.mute(mute) {
                Ok(()) => info!(?mute, "alerts muted, or no longer"),
                Err(error) => error!(%error, ?mute, "a restart of Lifeguard forgets this mute"),
            },
            UserAction::CopyDiagnostics => {
                let text = diagnostics(&self.snapshots.borrow());
                let fallback = self.state_dir.join("diagnostics.txt");
                tokio::spawn(async move {
                    match clipboard::hand_over(&text, &fallback).await {
                        Ok(how) => info!(?how, "diagnostics handed over"),
                        Err(error) => error!(%error, "diagnostics could not be handed over"),
                    }
                });
            }
            UserAction::SetLoginItem(on) => {
                tokio::spawn(set_login_item(on));
            }
            UserAction::Show => {
                info!("a second Lifeguard was started; this one is here");
                // The icon may be where nobody can see it.
                if cfg!(target_os = "macos") {
                    self.open_page();
                }
            }
            UserAction::Quit => {}
        }
    }

    /// Opens the status page.
    fn open_page(&self) {
        let Some(page) = self.snapshots.borrow().page.clone() else {
            warn!("there is no status page");
            return;
        };
        tokio::spawn(async move {
            if let Err(error) = open::open(&page).await {
                error!(%error, "the status page could not be opened");
            }
        });
    }

    /// Opens a file or folder of a gateway.
    fn open(&self, gateway: Option<&str>, what: &'static str, place: impl FnOnce(&GatewaySnapshot) -> Option<PathBuf>) {
        let found = {
            let snapshot = self.snapshots.borrow();
            let wanted = match gateway {
                None => snapshot.gateways.first(),
                Some(name) => snapshot.gateways.iter().find(|gateway| gateway.name == name),
            };
            wanted.and_then(place)
        };
        let Some(found) = found else {
            warn!(gateway, what, "nobody knows where it is");
            return;
        };
        tokio::spawn(async move {
            if let Err(error) = open::open(&found).await {
                error!(%error, what, "it could not be opened");
            }
        });
    }
}
