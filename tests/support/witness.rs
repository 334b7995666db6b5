//! Writes down the notifications that programs on a session bus ask for, while the real daemon shows them.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test helper fails the test")]

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use zbus::export::futures_core::Stream;
use zbus::{Connection, MatchRule, MessageStream, OwnedVariant};

const NAME: &str = "org.freedesktop.Notifications";

/// Longest wait for a notification: on a busy machine a real gateway takes a minute to come back.
const LIMIT: Duration = Duration::from_mins(3);

/// One call of `Notify`.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    /// When it was asked for.
    pub(crate) at: Timestamp,
    pub(crate) title: String,
    pub(crate) body: String,
    /// Names of the buttons.
    pub(crate) buttons: Vec<String>,
    /// Their labels, in the same order.
    pub(crate) labels: Vec<String>,
}

/// The record of a session bus.
pub(crate) struct Witness {
    notices: watch::Receiver<Vec<Notice>>,
}

impl Witness {
    /// Begins to listen; `connection` can do nothing else from now on.
    pub(crate) async fn begin(connection: Connection) -> Self {
        let rule = MatchRule::builder().msg_type(zbus::message::Type::MethodCall).interface(NAME);
        let rule = rule.member("Notify").build().unwrap();
        let stream = MessageStream::from(&connection);
        let monitoring = zbus::fdo::MonitoringProxy::new(&connection).await.unwrap();
        monitoring.become_monitor(&[rule], 0).await.unwrap();
        let (sender, notices) = watch::channel(Vec::new());
        tokio::spawn(write_down(stream, sender));
        Self { notices }
    }

    /// Everything so far.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.notices.borrow().clone()
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.notices.borrow().len()
    }

    /// Waits for one, later than the first `after`, whose title or body contains `part`.
    pub(crate) async fn wait_for(&self, after: usize, part: &str) -> Notice {
        let mut notices = self.notices.clone();
        let find = |all: &Vec<Notice>| {
            all.iter().skip(after).find(|notice| notice.title.contains(part) || notice.body.contains(part)).cloned()
        };
        let waited = tokio::time::timeout(LIMIT, notices.wait_for(|all| find(all).is_some())).await;
        let all = waited.unwrap_or_else(|_| panic!("no notification with {part:?}: {:#?}", self.notices()));
        find(&all.unwrap()).unwrap()
    }
}

/// Application, replaced id, icon, summary, body, actions, hints, timeout.
type Notify = (String, u32, String, String, String, Vec<String>, HashMap<String, OwnedVariant>, i32);

async fn write_down(mut stream: MessageStream, sender: watch::Sender<Vec<Notice>>) {
    while let Some(Ok(message)) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
        let Ok((_, _, _, title, body, actions, _, _)) = message.body().deserialize::<Notify>() else { continue };
        let every_second = |first: usize| actions.iter().skip(first).step_by(2).cloned().collect();
        let notice = Notice { at: Timestamp::now(), title, body, buttons: every_second(0), labels: every_second(1) };
        sender.send_modify(|all| all.push(notice));
    }
}
