//! The signals that the gateway handles; the kernel's default holds for all others (SIGHUP kills).

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::version::Version;

/// A signal that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    /// SIGTERM or SIGINT.
    Stop(&'static str),
    /// The version's restart signal.
    Restart(&'static str),
    /// SIGUSR1 to a version on which it opens the Node inspector.
    Inspector,
}

/// The handled signals.
pub(super) struct Signals {
    version: Version,
    terminate: Signal,
    interrupt: Signal,
    user_one: Signal,
    /// `None`: no handler, so that SIGUSR2 kills, as it does up to 2026.9.5.
    user_two: Option<Signal>,
}

impl Signals {
    /// Takes over from the kernel's defaults.
    pub(super) fn listen(version: Version) -> io::Result<Self> {
        let user_two = match version {
            Version::V2026_9_6 => Some(signal(SignalKind::user_defined2())?),
            Version::V2026_2_26 | Version::V2026_6_11 => None,
        };
        Ok(Self {
            version,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            user_one: signal(SignalKind::user_defined1())?,
            user_two,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Received {
        let user_two = async {
            match &mut self.user_two {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Received::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Received::Stop("SIGINT"),
            _ = user_two => Received::Restart("SIGUSR2"),
            _ = self.user_one.recv() => match self.version {
                Version::V2026_9_6 => Received::Inspector,
                Version::V2026_2_26 | Version::V2026_6_11 => Received::Restart("SIGUSR1"),
            },
        }
    }
}
