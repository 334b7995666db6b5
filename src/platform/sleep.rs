//! Notices of the system that the machine is about to sleep, or has woken.
//!
//! They make what two clocks tell by themselves come sooner: before the sleep, and for one that is too short to tell.
//! Where there are none, as without logind, or on macOS without an icon, the clocks are enough.

/// What the system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SleepNotice {
    /// It is about to sleep. It may change its mind, and says [`SleepNotice::Woken`] then too.
    Suspending,
    /// It has woken.
    Woken,
}

#[cfg(target_os = "linux")]
pub use linux::follow;

/// Linux: logind's signal `PrepareForSleep` on the system bus.
#[cfg(target_os = "linux")]
mod linux {
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::time::Duration;

    use zbus::export::futures_core::Stream;
    use zbus::{Connection, MatchRule, MessageStream};

    use super::SleepNotice;

    const LOGIND: &str = "org.freedesktop.login1";
    const PATH: &str = "/org/freedesktop/login1";
    const MANAGER: &str = "org.freedesktop.login1.Manager";
    const MEMBER: &str = "PrepareForSleep";

    /// Longest wait for the bus.
    const CONNECT_LIMIT: Duration = Duration::from_secs(10);
    /// Pause before the bus is tried again.
    const AGAIN: Duration = Duration::from_mins(1);

    /// Passes every notice on, for ever; tries again where there is no bus yet or it was restarted.
    pub async fn follow(tell: impl Fn(SleepNotice) + Send) {
        loop {
            match tokio::time::timeout(CONNECT_LIMIT, subscribe()).await {
                Ok(Ok(signals)) => listen(signals, &tell).await,
                Ok(Err(error)) => tracing::debug!(%error, "logind tells nothing of sleep"),
                Err(_) => tracing::debug!("the system bus does not answer: logind tells nothing of sleep"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn subscribe() -> zbus::Result<MessageStream> {
        let connection = Connection::system().await?;
        // The bus itself keeps other senders' signals away.
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(LOGIND)
            .path(PATH)
            .interface(MANAGER)
            .member(MEMBER)
            .build()?;
        MessageStream::for_match_rule(rule, &connection, None).await
    }

    /// Ends with the bus.
    async fn listen(mut signals: MessageStream, tell: &impl Fn(SleepNotice)) {
        while let Some(Ok(message)) = poll_fn(|context| Pin::new(&mut signals).poll_next(context)).await {
            match message.body().deserialize::<bool>() {
                Ok(true) => tell(SleepNotice::Suspending),
                Ok(false) => tell(SleepNotice::Woken),
                Err(error) => tracing::debug!(%error, "logind's signal is not of the form that it has had so far"),
            }
        }
    }
}
