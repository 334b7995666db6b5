//! What comes before the start on the higher rungs of the ladder: the good configuration put back.

use tracing::info;

use crate::guard::ConfigGuard;
use crate::platform::clock;
use crate::supervisor::ladder::{Heal, Rung};
use crate::supervisor::verdict::Verdict;

/// Prepares the heals of one gateway.
#[derive(Debug, Clone)]
pub(super) struct Preparation {
    /// The gateway's name, for logs.
    pub(super) gateway: String,
    /// The copies of its configuration.
    pub(super) guard: ConfigGuard,
}

impl Preparation {
    /// Does the rung's own part. What is left to the service: a start, a restart, or nothing. An error says why it
    /// did not work and what to do.
    pub(super) async fn prepare(&self, heal: Heal) -> Result<Option<Heal>, String> {
        match heal.rung {
            Rung::RollBack => {
                let done = self.guard.roll_back(clock::wall()).await.map_err(|error| error.to_string())?;
                let beside = done.kept_beside.as_ref().map(|path| path.display().to_string());
                info!(gateway = self.gateway, heal = heal.id, beside, "the last good configuration is back");
                // A gateway that is well reads the file anew by itself.
                Ok((heal.cause.verdict != Verdict::Healthy).then(|| followed_by_start(heal)))
            }
            _ => Ok(Some(heal)),
        }
    }
}

/// The same heal, as a restart of what runs or a start of what does not.
fn followed_by_start(heal: Heal) -> Heal {
    let rung = if heal.target.is_some() { Rung::Restart } else { Rung::Start };
    Heal { rung, ..heal }
}
