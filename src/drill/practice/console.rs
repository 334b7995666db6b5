//! The gateway's console: `TIMESTAMP [subsystem] message` on standard output.

use std::io::Write as _;

use jiff::Zoned;

/// Writes one entry. An entry that cannot be written (closed pipe, full disk) is lost, as with the real one.
pub(super) fn say(subsystem: &str, message: impl std::fmt::Display) {
    let now = Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
    let _lost = writeln!(std::io::stdout().lock(), "{now} [{subsystem}] {message}");
}

/// Writes a message that belongs to no subsystem, as the real one does for the reason of a failed start.
pub(super) fn say_plain(message: impl std::fmt::Display) {
    let now = Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
    let _lost = writeln!(std::io::stderr().lock(), "{now} {message}");
}
