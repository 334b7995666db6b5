//! One look at every gateway while no Lifeguard runs.

use std::sync::Arc;

use super::{AppError, Setting, assemble};
use crate::engine::glance;
use crate::history::History;
use crate::platform::{boot_id, clock};
use crate::snapshot::Snapshot;

/// How long a picture that nobody renews is worth showing, in milliseconds: as long as one is printed.
const FRESH: u64 = 60_000;

/// One look at every gateway. Nothing is healed, and nothing is written.
pub async fn look(setting: &Setting<'_>) -> Result<Snapshot, AppError> {
    let mut gateways = Vec::new();
    let history = Arc::new(History::look(&setting.paths.state_dir, boot_id())?);
    for spec in assemble::gateways(setting, &history).await {
        gateways.push(Box::pin(glance(spec)).await);
    }
    Ok(Snapshot {
        taken: clock::wall(),
        taken_elapsed: clock::elapsed(),
        stale_after: FRESH,
        lifeguard_version: env!("CARGO_PKG_VERSION").to_owned(),
        gateways,
        channels: Vec::new(),
        day: None,
        page: None,
        notices: Vec::new(),
    })
}
