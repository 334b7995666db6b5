//! The menu bar's item: what macOS remembers of it, and where it is.
//!
//! Threads: everything here runs on the main thread, as the types demand. Nothing is kept: each call takes what it needs
//! from the item that the tray owns.

use objc2::MainThreadMarker;
use objc2_app_kit::{NSScreen, NSStatusItem};
use objc2_foundation::{NSRect, NSString, NSUserDefaults};

use crate::platform::desktop::placement::{Placement, Rectangle};

/// Makes macOS forget that an item of this name, or one without a name, was not to be seen. Lifeguard's item cannot be
/// dragged out of the menu bar, so that nobody has wished it: such entries are left by crashes of the menu bar. Before
/// the item is made, for it would take them over.
pub fn forget_hidden(name: &str) {
    // Threads: NSUserDefaults may be used from any. Lifetimes: both objects are kept alive by `Retained`.
    let defaults = NSUserDefaults::standardUserDefaults();
    for of in [name, "Item-0"] {
        for kind in ["Visible", "VisibleCC"] {
            let text = format!("NSStatusItem {kind} {of}");
            let key = NSString::from_str(&text);
            if defaults.objectForKey(&key).is_some() && !defaults.boolForKey(&key) {
                tracing::info!(key = text, "macOS remembered the icon as hidden; it is told to forget that");
                defaults.removeObjectForKey(&key);
            }
        }
    }
}

/// Shows the item, whatever was remembered of it.
pub fn reveal(item: &NSStatusItem) {
    // Threads: the caller's item exists on the main thread only. Lifetimes: it is borrowed for the call.
    if !item.isVisible() {
        tracing::info!("macOS made the icon hidden; it is shown");
        item.setVisible(true);
    }
}

/// Where the item and the screens are; `None` off the main thread, or while there is no item on any screen yet.
#[must_use]
pub fn placement(item: &NSStatusItem) -> Option<Placement> {
    // Threads: the marker proves that this is the main thread, to which buttons, windows and screens belong.
    // Lifetimes: `Retained` keeps the button and its window alive until the end of this function.
    let main = MainThreadMarker::new()?;
    let window = item.button(main)?.window()?;
    let screens = NSScreen::screens(main).iter().map(|screen| rectangle(screen.frame())).collect();
    Some(Placement { item: rectangle(window.frame()), screens })
}

fn rectangle(rect: NSRect) -> Rectangle {
    Rectangle { left: rect.origin.x, bottom: rect.origin.y, width: rect.size.width, height: rect.size.height }
}
