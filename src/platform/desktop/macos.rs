//! Keeps macOS from slowing a menu-bar app down while nobody looks at it.

use objc2::rc::Retained;
use objc2::runtime::{NSObjectProtocol, ProtocolObject};
use objc2_foundation::{NSActivityOptions, NSProcessInfo, NSString};

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
        let options = NSActivityOptions::UserInitiatedAllowingIdleSystemSleep;
        let activity =
            NSProcessInfo::processInfo().beginActivityWithOptions_reason(options, &NSString::from_str(reason));
        Self { activity }
    }
}

impl Drop for Awake {
    #[expect(unsafe_code, reason = "ending an activity takes the token that began it")]
    fn drop(&mut self) {
        // SAFETY: the token came from `beginActivityWithOptions:reason:` of the same process, and is ended once.
        unsafe { NSProcessInfo::processInfo().endActivity(&self.activity) };
    }
}
