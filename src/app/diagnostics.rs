//! A description of the current state to paste into a question: what `status --json` shows, free of secrets.

use tracing::error;

use crate::redact::redact;
use crate::snapshot::Snapshot;

/// The text of "Copy diagnostics".
pub(super) fn diagnostics(snapshot: &Snapshot) -> String {
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let state = serde_json::to_string_pretty(snapshot).unwrap_or_else(|error| {
        error!(%error, "the snapshot could not be written down");
        error.to_string()
    });
    redact(&format!("Lifeguard {} on {system}\n{state}\n", snapshot.lifeguard_version))
}
