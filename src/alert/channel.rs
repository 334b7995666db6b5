//! What every channel is to its lane: a thing that makes one delivery and says what became of it.

use std::future::Future;
use std::time::Duration;

use super::GatewayAlert;
use crate::text::problem::Problem;

/// One way to tell people.
pub trait Channel: Send + 'static {
    /// The channel's name in the configuration, in `alerts test`, the menu and logs.
    fn name(&self) -> &'static str;

    /// Whether this channel tells alerts of this kind at all.
    fn wants(alert: &GatewayAlert) -> bool;

    /// Whether what was told can be changed afterwards: then each incident has one message that moves with it.
    fn edits(&self) -> bool {
        false
    }

    /// Looks once, when the lane starts, whether all is there that deliveries need. Ends within a limit of its own.
    fn prepare(&mut self) -> impl Future<Output = Result<(), Problem>> + Send {
        async { Ok(()) }
    }

    /// Makes one delivery. `Ok` means that the receiving side has confirmed it. Ends within a limit of its own.
    fn deliver(&mut self, dispatch: &Dispatch<'_>) -> impl Future<Output = Result<Confirmed, Failure>> + Send;

    /// Takes back what would be left without an owner when Lifeguard quits. Ends within a limit of its own.
    fn close(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// One delivery that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Dispatch<'a> {
    /// What to tell.
    pub alert: &'a GatewayAlert,
    /// Names the alert: the same at every attempt and on every channel, so that receivers can drop repeats.
    pub id: &'a str,
    /// A new message, or a change of one.
    pub form: Form<'a>,
    /// An earlier attempt may have arrived: the message says so.
    pub repeat: bool,
    /// It stands for an alert of the same incident that could not be sent: the message tells both.
    pub folded: bool,
    /// Now, in Unix milliseconds.
    pub now: i64,
}

/// How something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// A new message.
    New,
    /// A change of the message that was [`Confirmed`] with this reference. Doing it twice does no harm.
    Edit(&'a str),
}

/// What the receiving side confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confirmed {
    /// Names the message on the receiving side, where it can be edited.
    pub reference: Option<String>,
}

/// Why an alert was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It did not arrive, and may work later.
    Later {
        /// What was wrong.
        problem: Problem,
        /// The receiving side said how long to wait.
        after: Option<Duration>,
    },
    /// Nobody knows whether it arrived: tried again, marked as a repeat.
    Unsure(Problem),
    /// The channel itself is refused: nothing will work until a person acts.
    Parked(Problem),
    /// This very alert is refused; another one may pass.
    Rejected(Problem),
    /// The message to edit does not exist any more: somebody has deleted it.
    Gone,
}

impl Failure {
    /// It did not arrive and may work later; the receiving side did not say when.
    #[must_use]
    pub fn later(problem: Problem) -> Self {
        Self::Later { problem, after: None }
    }

    /// What was wrong, if anything was.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Later { problem, .. } | Self::Unsure(problem) | Self::Parked(problem) | Self::Rejected(problem) => {
                Some(problem)
            }
            Self::Gone => None,
        }
    }
}
