//! Shows the icon and the menu: the only place that knows tao and tray-icon.
//!
//! Everything of the tray lives in [`run`] on the main thread, in one `Ui` value. Three things reach it, all as
//! `UiEvent`s through one proxy: a thread of its own that forwards new snapshots and ticks every few seconds, so that
//! ages move on, and right when a snapshot turns stale, even if the rest of the app hangs; clicks, which the toolkit
//! reports on threads of its choice; and the end of the app. The loop never waits for anything but these.

mod live;
mod main_loop;

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use tray_icon::menu::{Menu, MenuEvent};
use tray_icon::{Icon, TrayIcon, TrayIconBuilder, TrayIconEvent};

use self::live::LiveRow;
use self::main_loop::{MainLoop, Next, Proxy, Turn};
use super::icon::{Ink, SIZE, Shape, rgba};
use super::menu::{MenuModel, View};
use super::row::Row;
use crate::platform::clock;
use crate::platform::desktop::login_item::LoginItem;
#[cfg(target_os = "macos")]
use crate::platform::desktop::macos::{Awake, power::SleepObserver, status_item};
#[cfg(target_os = "macos")]
use crate::platform::desktop::placement::Lookout;
#[cfg(target_os = "macos")]
use crate::platform::sleep::SleepNotice;
use crate::request::UserAction;
use crate::snapshot::Snapshot;
use crate::text::Language;

/// How often ages are counted anew. Each time the menu's rows go over D-Bus, whether it is open or not.
const TICK: Duration = Duration::from_secs(5);
/// The login item is looked up again so often, in case it was changed in the system's settings.
const LOGIN_ITEM_LOOK: Duration = Duration::from_secs(30);
/// After a click on it, it is looked up so often …
const EAGER_LOOK: Duration = Duration::from_secs(1);
/// … for so long, or until the app has changed it.
const EAGER: Duration = Duration::from_secs(5);
/// Names this icon for the system: its id on D-Bus, and the key of its place in the macOS menu bar.
const ICON_NAME: &str = "io.lifeguard.Lifeguard";
/// Shown as the title of the icon, where a system shows one.
#[cfg(not(target_os = "macos"))]
const APP_NAME: &str = "Lifeguard";

/// What the tray needs to know before it starts.
pub struct TraySetup {
    /// Language of the menu.
    pub language: Language,
    /// One colour, by shape only.
    pub monochrome: bool,
    /// Looks up the login item; called on a thread of the tray's own.
    pub login_item: Box<dyn Fn() -> LoginItem + Send>,
    /// Told what the system says of sleep, on the main thread.
    #[cfg(target_os = "macos")]
    pub on_sleep: Box<dyn Fn(SleepNotice)>,
    /// Told, once, if macOS keeps the icon where nobody can see it; must not wait.
    #[cfg(target_os = "macos")]
    pub on_hidden: Box<dyn FnOnce()>,
}

/// There can be no icon here.
#[derive(Debug, thiserror::Error)]
pub enum TrayError {
    /// Nothing to draw on.
    #[error("no display can be reached ({0}); `lifeguard watch` does the same without an icon")]
    NoDisplay(String),
    /// No session bus, over which an icon would be shown.
    #[error("no icon can be shown, because there is no D-Bus session bus ({0}); `lifeguard watch` needs none")]
    NoBus(String),
    /// The system refused the icon.
    #[error("the system refused the icon ({0}); `lifeguard watch` does the same without one")]
    Refused(String),
    /// The thread that brings the news could not be started.
    #[error("the tray's thread could not be started: {0}")]
    NoThread(std::io::Error),
}

/// What reaches the loop from other threads.
#[derive(Debug)]
enum UiEvent {
    /// A new snapshot, or a second has passed.
    Refresh,
    /// The login item is so now.
    LoginItem(LoginItem),
    /// The row with this key was clicked.
    Clicked(String),
    /// The icon itself was clicked where that does not open the menu.
    IconClicked,
    /// Nobody will send snapshots any more: the app is ending.
    Ended,
}

/// Shows the tray on the main thread until the sender of `snapshots` is dropped; then, and also when the system ends
/// the session, runs `on_exit`. If there can be no icon, returns why, without having run `on_exit`. At most once per
/// process: the toolkit keeps its handlers for ever.
pub fn run(
    setup: TraySetup,
    snapshots: watch::Receiver<Snapshot>,
    actions: mpsc::Sender<UserAction>,
    on_exit: Box<dyn FnOnce() + Send>,
) -> Result<(), TrayError> {
    let main_loop = MainLoop::new()?;
    let proxy = main_loop.proxy();
    forward_clicks(&proxy);
    let login_item_clicked = Arc::new(Notify::new());
    let mut ui = Ui::new(&setup, snapshots.clone(), actions, Arc::clone(&login_item_clicked));
    #[cfg(target_os = "macos")]
    let _sleep = SleepObserver::begin(setup.on_sleep);
    #[cfg(target_os = "macos")]
    {
        ui.on_hidden = Some(setup.on_hidden);
    }
    let messenger = Messenger { snapshots, proxy, login_item: setup.login_item, login_item_clicked };
    let mut messenger = Some(messenger);
    let mut on_exit = Some(on_exit);
    let mut outcome = Ok(());
    main_loop.run(|turn| {
        match turn {
            Turn::Begin => {
                let started = ui.show().and_then(|()| messenger.take().map_or(Ok(()), Messenger::start));
                if let Err(error) = started {
                    outcome = Err(error);
                    return Next::End;
                }
            }
            Turn::Event(UiEvent::Ended) => return Next::End,
            Turn::Event(event) => ui.handle(event),
            #[cfg(target_os = "macos")]
            Turn::Reopen => ui.send(UserAction::Show),
            Turn::End => {
                if let Some(on_exit) = on_exit.take().filter(|_| outcome.is_ok()) {
                    on_exit();
                }
            }
        }
        Next::GoOn
    });
    outcome
}

/// The toolkit keeps the first handler for ever, and queues events without limit where there is none.
fn forward_clicks(proxy: &Proxy) {
    let menu = proxy.clone();
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| post(&menu, UiEvent::Clicked(event.id.0))));
    let icon = proxy.clone();
    TrayIconEvent::set_event_handler(Some(move |event| {
        if let TrayIconEvent::Click { .. } = event {
            // macOS opens the menu by itself; App Nap may have held back its ages until now.
            let opens_menu = cfg!(target_os = "macos");
            post(&icon, if opens_menu { UiEvent::Refresh } else { UiEvent::IconClicked });
        }
    }));
}

fn post(proxy: &Proxy, event: UiEvent) {
    if let Err(ended) = proxy.send(event) {
        tracing::debug!("{ended}");
    }
}

/// Brings news to the loop, on a thread and a runtime of its own: it works on while the app's own runtime hangs.
struct Messenger {
    snapshots: watch::Receiver<Snapshot>,
    proxy: Proxy,
    login_item: Box<dyn Fn() -> LoginItem + Send>,
    login_item_clicked: Arc<Notify>,
}

impl Messenger {
    fn start(self) -> Result<(), TrayError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(TrayError::NoThread)?;
        let work = move || runtime.block_on(self.run());
        thread::Builder::new().name("tray-messenger".to_owned()).spawn(work).map_err(TrayError::NoThread)?;
        Ok(())
    }

    async fn run(mut self) {
        let mut known = None;
        let (mut look_up_at, mut eager_until) = (Instant::now(), Instant::now());
        loop {
            if look_up_at <= Instant::now() {
                let found = (self.login_item)();
                if known.as_ref() != Some(&found) {
                    known = Some(found.clone());
                    eager_until = Instant::now();
                    post(&self.proxy, UiEvent::LoginItem(found));
                }
                let eager = Instant::now() < eager_until;
                look_up_at = Instant::now() + if eager { EAGER_LOOK } else { LOGIN_ITEM_LOOK };
            }
            let turn_at = (Instant::now() + self.until_refresh()).min(look_up_at);
            tokio::select! {
                changed = self.snapshots.changed() => {
                    if changed.is_err() {
                        return post(&self.proxy, UiEvent::Ended);
                    }
                }
                () = self.login_item_clicked.notified() => {
                    eager_until = Instant::now() + EAGER;
                    look_up_at = Instant::now() + EAGER_LOOK;
                }
                () = tokio::time::sleep_until(turn_at) => {}
            }
            if self.proxy.send(UiEvent::Refresh).is_err() {
                return;
            }
        }
    }

    /// The time of a tick, or what is left until the newest snapshot is stale.
    fn until_refresh(&self) -> Duration {
        let snapshot = self.snapshots.borrow();
        let age = u64::try_from(clock::elapsed().saturating_sub(snapshot.taken_elapsed)).unwrap_or(0);
        // A millisecond more, because what is as old as allowed is not stale yet.
        let left = snapshot.stale_after.checked_sub(age).map(|left| Duration::from_millis(left.saturating_add(1)));
        left.map_or(TICK, |left| left.min(TICK))
    }
}

/// The icon, the menu, and what they show now.
struct Ui {
    language: Language,
    ink: Ink,
    zone: TimeZone,
    snapshots: watch::Receiver<Snapshot>,
    actions: mpsc::Sender<UserAction>,
    login_item: LoginItem,
    login_item_clicked: Arc<Notify>,
    icons: HashMap<Shape, Icon>,
    menu: Menu,
    rows: Vec<LiveRow>,
    shown: Option<MenuModel>,
    tray: Option<TrayIcon>,
    /// Looks whether the icon can be seen.
    #[cfg(target_os = "macos")]
    lookout: Lookout,
    #[cfg(target_os = "macos")]
    on_hidden: Option<Box<dyn FnOnce()>>,
    #[cfg(target_os = "macos")]
    _awake: Awake,
}

impl Ui {
    fn new(
        setup: &TraySetup,
        snapshots: watch::Receiver<Snapshot>,
        actions: mpsc::Sender<UserAction>,
        login_item_clicked: Arc<Notify>,
    ) -> Self {
        Self {
            language: setup.language,
            ink: Ink::choose(setup.monochrome),
            zone: TimeZone::system(),
            snapshots,
            actions,
            login_item: LoginItem::Off,
            login_item_clicked,
            icons: HashMap::new(),
            menu: Menu::new(),
            rows: Vec::new(),
            shown: None,
            tray: None,
            #[cfg(target_os = "macos")]
            lookout: Lookout::begin(clock::awake()),
            #[cfg(target_os = "macos")]
            on_hidden: None,
            #[cfg(target_os = "macos")]
            _awake: Awake::begin("watching the OpenClaw gateway"),
        }
    }

    /// Puts the icon up, already in its true state.
    fn show(&mut self) -> Result<(), TrayError> {
        let model = self.model();
        live::reconcile(&live::Parent::Menu(&self.menu), &mut self.rows, &model.rows);
        #[cfg(target_os = "macos")]
        status_item::forget_hidden(ICON_NAME);
        let builder = TrayIconBuilder::new()
            .with_id(ICON_NAME)
            .with_autosave_name(ICON_NAME)
            .with_tooltip(&model.tooltip)
            .with_menu(Box::new(self.menu.clone()));
        // A title on macOS is text beside the icon.
        #[cfg(not(target_os = "macos"))]
        let builder = builder.with_title(APP_NAME);
        let icon = self.icon(Shape::of(model.health))?;
        #[cfg(target_os = "macos")]
        let builder =
            if self.ink == Ink::Template { builder.with_icon_templated(icon) } else { builder.with_icon(icon) };
        #[cfg(not(target_os = "macos"))]
        let builder = builder.with_icon(icon);
        self.tray = Some(builder.build().map_err(refusal)?);
        #[cfg(target_os = "macos")]
        if let Some(item) = self.tray.as_ref().and_then(TrayIcon::ns_status_item) {
            status_item::reveal(&item);
        }
        self.shown = Some(model);
        Ok(())
    }

    fn handle(&mut self, event: UiEvent) {
        match event {
            UiEvent::Refresh | UiEvent::Ended => {}
            UiEvent::LoginItem(state) => self.login_item = state,
            UiEvent::Clicked(key) => self.clicked(&key),
            UiEvent::IconClicked => self.send(UserAction::Show),
        }
        self.refresh();
        #[cfg(target_os = "macos")]
        self.look_for_icon();
    }

    /// Tells, once, if macOS keeps the icon where nobody can see it. It is not made anew: that makes matters worse.
    #[cfg(target_os = "macos")]
    fn look_for_icon(&mut self) {
        let item = || self.tray.as_ref().and_then(TrayIcon::ns_status_item);
        let seen =
            || item().and_then(|item| status_item::placement(&item)).is_some_and(|found| found.is_in_a_menu_bar());
        if self.lookout.look(clock::awake(), seen)
            && let Some(tell) = self.on_hidden.take()
        {
            tell();
        }
    }

    fn clicked(&mut self, key: &str) {
        let choice = self.shown.as_ref().and_then(|model| Row::find(&model.rows, key));
        let Some(choice) = choice else {
            tracing::debug!(key, "a row was clicked that is no longer there");
            return;
        };
        let action = choice.action(clock::wall());
        if matches!(action, UserAction::SetLoginItem(_)) {
            // The toolkit has moved the tick already; it is to show what is, not what was wished.
            live::restore_checks(&self.rows);
            self.login_item_clicked.notify_one();
        }
        self.send(action);
    }

    fn send(&self, action: UserAction) {
        if let Err(error) = self.actions.try_send(action) {
            tracing::warn!(%error, "a click in the menu was dropped, because earlier ones are still waiting");
        }
    }

    fn model(&self) -> MenuModel {
        let view =
            View { elapsed: clock::elapsed(), language: self.language, zone: &self.zone, login_item: &self.login_item };
        MenuModel::of(&self.snapshots.borrow(), &view)
    }

    /// Brings icon and menu up to date, touching only what says something else than before.
    fn refresh(&mut self) {
        let model = self.model();
        let Some(shown) = self.shown.as_ref().filter(|shown| **shown != model) else { return };
        let (shape, tooltip) = (Shape::of(model.health), model.tooltip != shown.tooltip);
        if shape != Shape::of(shown.health)
            && let Err(error) = self.set_icon(shape)
        {
            tracing::warn!(%error, "the icon could not be changed");
        }
        if let Some(tray) = self.tray.as_ref().filter(|_| tooltip)
            && let Err(error) = tray.set_tooltip(Some(&model.tooltip))
        {
            tracing::warn!(%error, "the tooltip could not be changed");
        }
        live::reconcile(&live::Parent::Menu(&self.menu), &mut self.rows, &model.rows);
        self.shown = Some(model);
    }

    fn set_icon(&mut self, shape: Shape) -> Result<(), TrayError> {
        let icon = Some(self.icon(shape)?);
        let Some(tray) = &self.tray else { return Ok(()) };
        #[cfg(target_os = "macos")]
        if self.ink == Ink::Template {
            return tray.set_icon_templated(icon).map_err(refusal);
        }
        tray.set_icon(icon).map_err(refusal)
    }

    fn icon(&mut self, shape: Shape) -> Result<Icon, TrayError> {
        if let Some(icon) = self.icons.get(&shape) {
            return Ok(icon.clone());
        }
        let icon = Icon::from_rgba(rgba(shape, self.ink, SIZE), SIZE, SIZE)
            .map_err(|error| TrayError::Refused(error.to_string()))?;
        self.icons.insert(shape, icon.clone());
        Ok(icon)
    }
}

fn refusal(error: tray_icon::Error) -> TrayError {
    match error {
        #[cfg(target_os = "linux")]
        tray_icon::Error::Ksni(error) => TrayError::NoBus(error.to_string()),
        other => TrayError::Refused(other.to_string()),
    }
}
