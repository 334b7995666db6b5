//! What every channel is to its lane: a thing that tells one alert and says what became of it.

use std::future::Future;
use std::time::Duration;

use super::GatewayAlert;
use crate::text::alert::Problem;

/// One way to tell people.
pub trait Channel: Send + 'static {
    /// The channel's name in `alerts test`, the menu and logs.
    fn name(&self) -> &'static str;

    /// Whether this channel tells alerts of this kind at all.
    fn wants(alert: &GatewayAlert) -> bool;

    /// Tells one alert. `Ok` means that the receiving side has confirmed it. Ends within a limit of its own.
    fn deliver(&mut self, alert: &GatewayAlert, now: i64) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Takes back what would be left without an owner when Lifeguard quits. Ends within a limit of its own.
    fn close(&mut self) -> impl Future<Output = ()> + Send;
}

/// Why an alert was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// May work later.
    Later {
        /// What was wrong.
        problem: Problem,
        /// The receiving side said how long to wait.
        after: Option<Duration>,
    },
    /// The channel itself is refused: nothing will work until a person acts.
    Parked(Problem),
    /// This very alert is refused; another one may pass.
    Rejected(Problem),
}

impl Failure {
    /// May work later; the receiving side did not say when.
    #[must_use]
    pub fn later(problem: Problem) -> Self {
        Self::Later { problem, after: None }
    }

    /// What was wrong.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        match self {
            Self::Later { problem, .. } | Self::Parked(problem) | Self::Rejected(problem) => problem,
        }
    }
}
