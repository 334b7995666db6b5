//! Taking over what another watchdog has counted.

use std::sync::Arc;
use std::time::Duration;

use super::{AppError, Setting};
use crate::config::discovery::discover;
use crate::engine::now;
use crate::engine::store::{StateStore, StoreProblem};
use crate::history::{History, HistoryProblem};
use crate::platform::boot_id;
use crate::supervisor::policy::Manager;

/// What became of the crashes that another watchdog has counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeOver {
    /// They are on the counter: the gateway's name, and how many the counter shows now.
    Counted(String, u32),
    /// Lifeguard has counted so many itself, which stay.
    Own(String, u32),
    /// The last one is longer ago than Lifeguard remembers crashes.
    Forgotten,
}

/// Puts crashes on the first gateway's counter, as many as the counter can show; the last one was so long ago. Only
/// while no Lifeguard runs in these places, for it would save its own count over this one.
pub fn take_over_crashes(setting: &Setting<'_>, crashes: u32, ago: Duration) -> Result<TakeOver, AppError> {
    let policy = setting.config.policy(Manager::Ourselves);
    let Some(gateway) = setting.config.watched().into_iter().next() else { return Ok(TakeOver::Forgotten) };
    let found = discover(&gateway, setting.environment);
    if ago >= policy.crash_reset {
        return Ok(TakeOver::Forgotten);
    }
    let moment = now();
    let opened = History::open(&setting.paths.state_dir, boot_id(), moment)?;
    if let Some(problem) = opened.problem {
        return Err(AppError::NotTakenOver(NotTakenOver::History(problem)));
    }
    let history = Arc::new(opened.history);
    let store = StateStore::new(Arc::clone(&history), &setting.paths.state_dir, &found.name);
    let loaded = store.load(moment);
    if let Some(problem) = loaded.problem {
        return Err(AppError::NotTakenOver(NotTakenOver::State(problem)));
    }
    let mut state = loaded.state;
    if state.crashes.count() > 0 {
        return Ok(TakeOver::Own(found.name, state.crashes.count()));
    }
    for _ in 0..crashes.min(policy.crash_limit) {
        state.crashes.strike(moment.before(ago), &policy);
    }
    history.change(|change| store.save(change, &state, moment))?;
    Ok(TakeOver::Counted(found.name, state.crashes.count()))
}

/// Why they could not be taken over.
#[derive(Debug, thiserror::Error)]
pub enum NotTakenOver {
    /// The history cannot be used.
    #[error(transparent)]
    History(HistoryProblem),
    /// The gateway's state cannot be used.
    #[error(transparent)]
    State(StoreProblem),
}
