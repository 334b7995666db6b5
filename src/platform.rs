//! What differs by system, behind one small interface. The only room with unsafe code.

pub mod clock;
pub mod desktop;
pub mod front;
pub mod http;
pub mod keychain;
pub mod listener;
pub mod port;
pub mod private;
pub mod process;
pub mod sleep;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;

/// What names this boot of the machine and no other; `None` if the system does not tell.
#[must_use]
pub fn boot_id() -> Option<String> {
    system::boot_id()
}
