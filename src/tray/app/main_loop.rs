//! The loop on the main thread: the toolkit's on macOS, one of our own on Linux. There the icon is spoken for over
//! D-Bus, and a toolkit would cost more memory and time than everything else of Lifeguard together.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
pub(super) use linux::{MainLoop, Proxy};
#[cfg(target_os = "macos")]
pub(super) use macos::{MainLoop, Proxy};

use super::UiEvent;

/// What the loop has come to.
#[derive(Debug)]
pub(super) enum Turn {
    /// It runs: now the icon can be put up.
    Begin,
    /// This has reached it.
    Event(UiEvent),
    /// The person has opened the app once more.
    #[cfg(target_os = "macos")]
    Reopen,
    /// It ends, or the system ends the process after this.
    End,
}

/// Whether the loop goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It waits for the next turn.
    GoOn,
    /// It ends.
    End,
}

/// The loop has ended.
#[derive(Debug, thiserror::Error)]
#[error("the tray has ended")]
pub(super) struct Ended;
