//! The display of the person's session. Nothing is drawn on it; it tells whether there is a session, and when it ends.

use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;

use x11rb::connection::Connection;
use x11rb::reexports::x11rb_protocol::parse_display::parse_display;
use x11rb::rust_connection::RustConnection;

/// Why no display can be reached.
#[derive(Debug, thiserror::Error)]
pub enum DisplayError {
    /// None is named.
    #[error("neither DISPLAY nor WAYLAND_DISPLAY is set")]
    NotNamed,
    /// What is named can be no display.
    #[error("{0} names no display")]
    NotADisplay(String),
    /// The X server does not let us in.
    #[error("{0}: {1}")]
    NoServer(String, x11rb::errors::ConnectError),
    /// The Wayland compositor does not answer.
    #[error("{0}: {1}")]
    NoCompositor(String, std::io::Error),
}

/// A connection to the display.
#[derive(Debug)]
pub struct Display(Kind);

#[derive(Debug)]
enum Kind {
    X11(Box<RustConnection>),
    Wayland(UnixStream),
}

impl Display {
    /// Connects to the display that the environment names: Wayland's, or else that of X.
    pub fn open() -> Result<Self, DisplayError> {
        let named = |variable| std::env::var(variable).ok().filter(|value| !value.is_empty());
        let (wayland, x11) = (named("WAYLAND_DISPLAY"), named("DISPLAY"));
        let compositor = wayland.map(|name| {
            let folder = named("XDG_RUNTIME_DIR").unwrap_or_default();
            let reached = UnixStream::connect(Path::new(&folder).join(&name));
            reached.map_err(|error| DisplayError::NoCompositor(name, error))
        });
        if let Some(Ok(stream)) = compositor {
            return Ok(Self(Kind::Wayland(stream)));
        }
        let server = x11.map(|name| {
            if !is_possible(&name) {
                return Err(DisplayError::NotADisplay(name));
            }
            x11rb::connect(Some(&name)).map_err(|error| DisplayError::NoServer(name, error))
        });
        match (server, compositor) {
            (Some(Ok((connection, _))), _) => Ok(Self(Kind::X11(Box::new(connection)))),
            (_, Some(Err(error))) | (Some(Err(error)), _) => Err(error),
            (None, _) => Err(DisplayError::NotNamed),
        }
    }

    /// Waits until the display has ended. Nobody sends anything to a client that asked for nothing.
    pub fn wait_for_end(self) {
        match self.0 {
            Kind::X11(connection) => while connection.wait_for_event().is_ok() {},
            Kind::Wayland(mut stream) => {
                let mut buffer = [0; 64];
                loop {
                    match stream.read(&mut buffer) {
                        Ok(1..) => {}
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Ok(0) | Err(_) => return,
                    }
                }
            }
        }
    }
}

/// Display N of X listens on port 6000 + N, so that there are no others. x11rb 0.14 adds them up unchecked.
fn is_possible(name: &str) -> bool {
    parse_display(Some(name)).is_ok_and(|parsed| parsed.display <= u16::MAX - 6000)
}

#[cfg(test)]
mod tests {
    use super::is_possible;

    #[test]
    fn a_display_has_a_port() {
        for name in [":0", ":99.0", "host:10.1", "unix/:0"] {
            assert!(is_possible(name), "{name}");
        }
        for name in [":59536", ":64999", ":99999", "", "nonsense"] {
            assert!(!is_possible(name), "{name}");
        }
    }
}
