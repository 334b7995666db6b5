//! What only macOS does for a menu-bar app, or to it: keeping it from being slowed down, telling it of sleep, and its icon.

pub mod power;
pub mod status_item;

use std::path::PathBuf;

use objc2::rc::Retained;
use objc2::runtime::{NSObjectProtocol, ProtocolObject};
use objc2_foundation::{NSActivityOptions, NSBundle, NSProcessInfo, NSString};

/// The folder that macOS takes this program's bundle for; for a bare program, the folder that it lies in.
#[must_use]
pub fn main_bundle() -> PathBuf {
    // Threads: NSBundle may be used from any. Lifetimes: the main bundle lives as long as the process, and its path is
    // copied.
    PathBuf::from(NSBundle::mainBundle().bundlePath().to_string())
}

/// Holds off App Nap for as long as it lives. The system may still sleep.
///
/// App Nap stretches the timers of apps without windows from seconds to many seconds, and a watchdog that looks
/// late is no watchdog.
#[derive(Debug)]
pub struct Awake {
    activity: Retained<ProtocolObject<dyn NSObjectProtocol>>,
}

impl Awake {
    /// Begins the activity; `reason` is what `pmset -g assertions` shows.
    #[must_use]
    pub fn begin(reason: &str) -> Self {
        // Threads: NSProcessInfo may be used from any. Lifetimes: `Retained` keeps the token until it is ended.
        let options = NSActivityOptions::UserInitiatedAllowingIdleSystemSleep;
        let activity =
            NSProcessInfo::processInfo().beginActivityWithOptions_reason(options, &NSString::from_str(reason));
        Self { activity }
    }
}

impl Drop for Awake {
    #[expect(unsafe_code, reason = "ending an activity takes the token that began it")]
    fn drop(&mut self) {
        // Threads: the activity may be ended on another thread than the one that began it.
        // SAFETY: the token came from `beginActivityWithOptions:reason:` of the same process, and is ended once.
        unsafe { NSProcessInfo::processInfo().endActivity(&self.activity) };
    }
}
