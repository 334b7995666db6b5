//! What every view looks at: the engine's newest picture, with what the app itself has to say.

use std::sync::Arc;

use tokio::sync::watch;

use crate::snapshot::Snapshot;

/// The board. Its views end when the engine's pictures do.
#[derive(Debug, Clone)]
pub(super) struct Board {
    check: Arc<watch::Sender<Option<String>>>,
    snapshots: watch::Receiver<Snapshot>,
}

impl Board {
    /// Shows the pictures of an engine.
    pub(super) fn start(pictures: watch::Receiver<Snapshot>) -> Self {
        let (check, said) = watch::channel(None);
        let (sender, snapshots) = watch::channel(pictures.borrow().clone());
        tokio::spawn(publish(pictures, said, sender));
        Self { check: Arc::new(check), snapshots }
    }

    /// The newest picture, and every later one.
    pub(super) fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.snapshots.clone()
    }

    /// What the last self-check found; `None`: nothing is wrong.
    pub(super) fn say_check(&self, notice: Option<String>) {
        self.check.send_replace(notice);
    }
}

async fn publish(
    mut pictures: watch::Receiver<Snapshot>,
    mut check: watch::Receiver<Option<String>>,
    sender: watch::Sender<Snapshot>,
) {
    let mut says = true;
    loop {
        tokio::select! {
            changed = pictures.changed() => if changed.is_err() { return },
            changed = check.changed(), if says => says = changed.is_ok(),
        }
        let mut snapshot = pictures.borrow_and_update().clone();
        snapshot.notices.extend(check.borrow_and_update().clone());
        sender.send_replace(snapshot);
    }
}
