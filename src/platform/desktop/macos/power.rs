//! The workspace's notices of sleep.
//!
//! Threads: the workspace posts them on the main thread, in its run loop; the observers are made and dropped there too.
#![expect(unsafe_code, reason = "observers are told apart by Objective-C objects, which the compiler cannot check")]

use std::ptr::NonNull;
use std::rc::Rc;

use block2::RcBlock;
use objc2::rc::Retained;
use objc2::runtime::{NSObjectProtocol, ProtocolObject};
use objc2_app_kit::{NSWorkspace, NSWorkspaceDidWakeNotification, NSWorkspaceWillSleepNotification};
use objc2_foundation::{NSNotification, NSNotificationCenter};

use crate::platform::sleep::SleepNotice;

/// Passes the notices on for as long as it lives.
#[derive(Debug)]
pub struct SleepObserver {
    /// The workspace's own: the process's default centre never hears of sleep.
    center: Retained<NSNotificationCenter>,
    observers: Vec<Retained<ProtocolObject<dyn NSObjectProtocol>>>,
}

impl SleepObserver {
    /// Begins to listen, on the main thread, which must run its loop from then on. `tell` is called there too and must not
    /// wait: the system gives a program 30 s before it sleeps all the same.
    #[must_use]
    pub fn begin(tell: impl Fn(SleepNotice) + 'static) -> Self {
        let center = NSWorkspace::sharedWorkspace().notificationCenter();
        let tell = Rc::new(tell);
        // SAFETY: AppKit's constants live as long as the process; reading one has no other condition.
        let names = unsafe { [NSWorkspaceWillSleepNotification, NSWorkspaceDidWakeNotification] };
        let notices = [SleepNotice::Suspending, SleepNotice::Woken];
        let observers = names.into_iter().zip(notices).map(|(name, notice)| {
            let tell = Rc::clone(&tell);
            let block = RcBlock::new(move |_: NonNull<NSNotification>| tell(notice));
            // SAFETY: `object` is nil. With no queue the block runs on the thread that posts, which is the main thread for
            // the workspace: the `Rc` in it never leaves that thread. The centre copies the block and holds it until
            // the observer is removed in `drop`.
            unsafe { center.addObserverForName_object_queue_usingBlock(Some(name), None, None, &block) }
        });
        let observers = observers.collect();
        Self { center, observers }
    }
}

impl Drop for SleepObserver {
    fn drop(&mut self) {
        for observer in &self.observers {
            // SAFETY: the token came from `addObserverForName:…` of this very centre, and is removed once.
            unsafe { self.center.removeObserver(observer.as_ref()) };
        }
    }
}
