//! Linux: `org.freedesktop.Notifications` on the session bus.
//!
//! notify-rust describes the notification; the way to the bus is our own, over the same zbus. notify-rust's async
//! way subscribes to the buttons' signals only after the notification is out (a quick click is lost and its wait
//! never ends), unwraps the bus's errors while it waits, and opens a connection per notification. Here one
//! connection subscribes first and serves all; it is also the one that a daemon like dunst sends its signals to.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use notify_rust::{Hint, Notification, Timeout, Urgency};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zbus::export::futures_core::Stream;
use zbus::names::{BusName, OwnedUniqueName};
use zbus::{Connection, MatchRule, MessageStream, Variant, fdo};

use super::note::{Look, Loudness, Note, button_name, button_named};
use super::{NativeSettings, Notifier, Press};
use crate::alert::redact::{cut, one_line};
use crate::text::alert::without_buttons;
use crate::text::problem::Problem;
use crate::text::{Language, Phrase};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// Longest wait for the bus or the daemon; the bus may have to start the daemon first.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// Notifications whose numbers are remembered.
const MEMORY: usize = 64;
/// Characters of a refusal's own words that are shown.
const DETAIL: usize = 200;

/// The session bus and whoever shows notifications on it.
#[derive(Debug)]
pub(super) struct Desktop {
    settings: NativeSettings,
    presses: mpsc::Sender<Press>,
    session: Mutex<Option<Session>>,
}

/// A connection that listens for presses.
#[derive(Debug)]
struct Session {
    connection: Connection,
    buttons: bool,
    markup: bool,
    shown: Arc<Mutex<Ids>>,
    listener: JoinHandle<()>,
}

/// The daemon's numbers of our notifications.
#[derive(Debug, Default)]
struct Ids {
    /// Whose numbers these are: another daemon gives the same numbers to others' notifications.
    daemon: Option<OwnedUniqueName>,
    /// By [`Note::key`].
    by_key: HashMap<String, u32>,
}

impl Ids {
    fn number(&self, key: &str) -> u32 {
        self.by_key.get(key).copied().unwrap_or(0)
    }

    fn key(&self, number: u32) -> Option<String> {
        self.by_key.iter().find(|(_, known)| **known == number).map(|(key, _)| key.clone())
    }

    fn put(&mut self, key: String, number: u32) {
        self.by_key.insert(key, number);
        if self.by_key.len() > MEMORY {
            let oldest = self.by_key.iter().min_by_key(|(_, number)| **number).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.by_key.remove(&key));
        }
    }

    /// Forgets everything if the daemon is not the same one any more.
    fn check(&mut self, daemon: Option<OwnedUniqueName>) {
        if self.daemon != daemon {
            self.by_key.clear();
            self.daemon = daemon;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Desktop {
    pub(super) fn new(settings: NativeSettings, presses: mpsc::Sender<Press>) -> Self {
        Self { settings, presses, session: Mutex::new(None) }
    }

    async fn connect(&self) -> Result<Session, Problem> {
        let builder = match &self.settings.bus {
            Some(address) => zbus::connection::Builder::address(address.as_str()),
            None => zbus::connection::Builder::session(),
        };
        let connection = match timeout(CALL_LIMIT, builder.build()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                tracing::debug!(%error, "no session bus");
                return Err(Problem::NoSessionBus);
            }
            Err(_) => return Err(Problem::NoSessionBus),
        };
        let signals = timeout(CALL_LIMIT, subscribe(&connection)).await;
        let signals = signals.map_err(|_| Problem::NoSessionBus)?.map_err(|error| problem(&error))?;
        let message = call(&connection, "GetCapabilities", &()).await?;
        let capabilities: Vec<String> = message.body().deserialize().map_err(|error| problem(&error))?;
        let has = |name: &str| capabilities.iter().any(|capability| capability == name);
        let shown = Arc::new(Mutex::new(Ids::default()));
        let listener = tokio::spawn(listen(signals, Arc::clone(&shown), self.presses.clone()));
        Ok(Session { connection, buttons: has("actions"), markup: has("body-markup"), shown, listener })
    }

    /// Whether somebody on the bus shows notifications.
    pub(super) async fn available(&self) -> Result<(), Problem> {
        self.connect().await.map(drop)
    }
}

impl Notifier for Desktop {
    async fn show(&self, note: &Note, language: Language) -> Result<(), Problem> {
        let mut slot = self.session.lock().await;
        let lives = |session: &Session| !session.listener.is_finished() && !session.connection.is_closed();
        let session = match slot.take().filter(lives) {
            Some(session) => slot.insert(session),
            None => slot.insert(self.connect().await?),
        };
        let result = session.notify(note, language).await;
        if result.is_err() {
            // The daemon may have been exchanged for one with other abilities: ask again next time.
            *slot = None;
        }
        result
    }
}

impl Session {
    async fn notify(&self, note: &Note, language: Language) -> Result<(), Problem> {
        let notification = describe(note, language, self.buttons, self.markup);
        let hints: HashMap<&str, Variant<'_>> = notification.hints.iter().map(Into::into).collect();
        // Held until the number is written down: a press that comes first waits for it in `listen`.
        let mut shown = self.shown.lock().await;
        shown.check(owner(&self.connection).await);
        let body = (
            &notification.appname,
            shown.number(&note.key),
            &notification.icon,
            &notification.summary,
            &notification.body,
            &notification.actions,
            hints,
            i32::from(notification.timeout),
        );
        let message = call(&self.connection, "Notify", &body).await?;
        let id: u32 = message.body().deserialize().map_err(|error| problem(&error))?;
        shown.check(owner(&self.connection).await);
        shown.put(note.key.clone(), id);
        Ok(())
    }
}

async fn subscribe(connection: &Connection) -> zbus::Result<MessageStream> {
    let rule = MatchRule::builder().msg_type(zbus::message::Type::Signal).interface(NAME).path(PATH).build()?;
    MessageStream::for_match_rule(rule, connection, None).await
}

/// Who shows notifications now; `None` if nobody does, or nobody yet.
async fn owner(connection: &Connection) -> Option<OwnedUniqueName> {
    let bus = fdo::DBusProxy::new(connection).await.ok()?;
    timeout(CALL_LIMIT, bus.get_name_owner(BusName::try_from(NAME).ok()?)).await.ok()?.ok()
}

async fn call<B>(connection: &Connection, method: &'static str, body: &B) -> Result<zbus::Message, Problem>
where
    B: serde::Serialize + zbus::zvariant::DynamicType + Sync,
{
    match timeout(CALL_LIMIT, connection.call_method(Some(NAME), PATH, Some(NAME), method, body)).await {
        Ok(Ok(message)) => Ok(message),
        Ok(Err(error)) => Err(problem(&error)),
        Err(_) => Err(Problem::NoNotificationDaemon),
    }
}

/// What went wrong, in a person's words.
fn problem(error: &zbus::Error) -> Problem {
    tracing::debug!(%error, "the notification daemon was not reached");
    match error {
        zbus::Error::InputOutput(_) | zbus::Error::Address(_) | zbus::Error::Handshake(_) => Problem::NoSessionBus,
        zbus::Error::FDO(cause) => match &**cause {
            fdo::Error::AccessDenied(reason) | fdo::Error::InvalidArgs(reason) | fdo::Error::LimitsExceeded(reason) => {
                Problem::DaemonRefused(cut(&one_line(reason), DETAIL))
            }
            _ => Problem::NoNotificationDaemon,
        },
        zbus::Error::MethodError(name, reason, _) => {
            let reason = reason.as_deref().unwrap_or(name.as_str());
            if name.as_str().starts_with("org.freedesktop.DBus.Error.Spawn.") {
                Problem::NoNotificationDaemon
            } else {
                Problem::DaemonRefused(cut(&one_line(reason), DETAIL))
            }
        }
        _ => Problem::NoNotificationDaemon,
    }
}

/// Passes presses on until the bus is gone.
async fn listen(mut signals: MessageStream, shown: Arc<Mutex<Ids>>, presses: mpsc::Sender<Press>) {
    while let Some(message) = poll_fn(|context| Pin::new(&mut signals).poll_next(context)).await {
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                tracing::debug!(%error, "the session bus is gone");
                return;
            }
        };
        // `NotificationClosed` is not heeded: a daemon closes with the press itself, and its signal may come after the
        // result was shown under the same number.
        if message.header().member().is_none_or(|member| member.as_str() != "ActionInvoked") {
            continue;
        }
        let Ok((id, action)) = message.body().deserialize::<(u32, String)>() else { continue };
        let key = shown.lock().await.key(id);
        if let (Some(key), Some(button)) = (key, button_named(&action))
            && presses.try_send(Press { key, button }).is_err()
        {
            tracing::warn!("too many presses wait: one was dropped");
        }
    }
}

/// The note in notify-rust's words.
fn describe(note: &Note, language: Language, buttons: bool, markup: bool) -> Notification {
    let mut body = note.body.clone();
    if !buttons && !note.buttons.is_empty() {
        body = format!("{body} {}", without_buttons(language));
    }
    if markup {
        body = escape(&body);
    }
    let (urgency, quiet) = match note.loudness {
        Loudness::Quiet => (Urgency::Low, true),
        Loudness::Usual => (Urgency::Normal, false),
        Loudness::Urgent => (Urgency::Critical, false),
    };
    let (icon, category) = match note.look {
        Look::Trouble => ("dialog-error", "network.error"),
        Look::Caution => ("dialog-warning", "network.error"),
        Look::News => ("dialog-information", "network"),
    };
    let mut notification = Notification::new();
    notification
        .appname("Lifeguard")
        .summary(&note.title)
        .body(&body)
        .icon(icon)
        .urgency(urgency)
        .hint(Hint::Category(category.to_owned()))
        .hint(Hint::DesktopEntry("openclaw-lifeguard".to_owned()))
        .timeout(if note.stays { Timeout::Never } else { Timeout::Default });
    if quiet {
        notification.hint(Hint::SuppressSound(true));
    }
    if buttons && !note.buttons.is_empty() {
        // The result of a press is shown in the same place: the daemon should not take it away.
        notification.hint(Hint::Resident(true));
        for button in &note.buttons {
            notification.action(button_name(*button), &button.say(language));
        }
    }
    notification
}

/// The body may be read as markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::alert::sample;

    fn note(alert: &crate::alert::GatewayAlert) -> Note {
        Note::of_alert(&sample::dispatch(alert), Language::English, &TimeZone::UTC)
    }

    #[test]
    fn urgency_and_patience_follow_the_note() {
        let describe = |alert| describe(&note(&alert), Language::English, true, true);
        let down = describe(sample::down(1));
        assert!(down.hints.contains(&Hint::Urgency(Urgency::Normal)));
        assert_eq!(i32::from(down.timeout), 0, "stays");
        assert_eq!(down.actions, ["restart", "Restart", "open-log", "Open log", "pause", "Pause 1 h"]);
        let safe_mode = describe(sample::safe_mode(1));
        assert!(safe_mode.hints.contains(&Hint::Urgency(Urgency::Critical)));
        let recovered = describe(sample::recovered(1));
        assert!(recovered.hints.contains(&Hint::Urgency(Urgency::Low)));
        assert!(recovered.hints.contains(&Hint::SuppressSound(true)));
        assert!(recovered.actions.is_empty());
        assert_eq!(i32::from(recovered.timeout), -1, "as the desktop likes");
    }

    #[test]
    fn markup_is_escaped_only_where_it_is_read() {
        let mut note = note(&sample::down(1));
        note.body = "<b>a & b</b>".to_owned();
        assert_eq!(describe(&note, Language::English, true, true).body, "&lt;b&gt;a &amp; b&lt;/b&gt;");
        assert_eq!(describe(&note, Language::English, true, false).body, "<b>a & b</b>");
    }

    #[test]
    fn a_desktop_without_buttons_is_told_where_they_are() {
        let without = describe(&note(&sample::down(1)), Language::English, false, true);
        assert!(without.actions.is_empty());
        assert!(without.body.ends_with(without_buttons(Language::English)));
        let nothing_to_press = describe(&note(&sample::recovered(1)), Language::English, false, true);
        assert!(!nothing_to_press.body.contains(without_buttons(Language::English)));
    }
}
