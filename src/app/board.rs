//! What every view looks at: the engine's newest picture, with what the app itself has to say.

use std::sync::Arc;

use tokio::sync::watch;

use crate::snapshot::Snapshot;

/// What the app itself has to say, each ready to be read.
#[derive(Debug, Clone, Default)]
struct Said {
    configuration: Option<String>,
    check: Option<String>,
}

/// The board. Its views end when the engine's pictures do.
#[derive(Debug, Clone)]
pub(super) struct Board {
    said: Arc<watch::Sender<Said>>,
    snapshots: watch::Receiver<Snapshot>,
}

impl Board {
    /// Shows the pictures of an engine.
    pub(super) fn start(pictures: watch::Receiver<Snapshot>) -> Self {
        let (said, news) = watch::channel(Said::default());
        let (sender, snapshots) = watch::channel(pictures.borrow().clone());
        tokio::spawn(publish(pictures, news, sender));
        Self { said: Arc::new(said), snapshots }
    }

    /// The newest picture, and every later one.
    pub(super) fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.snapshots.clone()
    }

    /// What the last self-check found; `None`: nothing is wrong.
    pub(super) fn say_check(&self, notice: Option<String>) {
        self.said.send_modify(|said| said.check = notice);
    }

    /// What is to be known of a configuration file that was changed; `None`: all of it is in force.
    pub(super) fn say_configuration(&self, notice: Option<String>) {
        self.said.send_modify(|said| said.configuration = notice);
    }
}

async fn publish(
    mut pictures: watch::Receiver<Snapshot>,
    mut news: watch::Receiver<Said>,
    sender: watch::Sender<Snapshot>,
) {
    let mut says = true;
    loop {
        tokio::select! {
            changed = pictures.changed() => if changed.is_err() { return },
            changed = news.changed(), if says => says = changed.is_ok(),
        }
        let mut snapshot = pictures.borrow_and_update().clone();
        let said = news.borrow_and_update().clone();
        snapshot.notices.extend(said.configuration.into_iter().chain(said.check));
        sender.send_replace(snapshot);
    }
}
