//! Who listens on a port of this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::system;

/// Limit for the test whether anybody accepts connections at all. A free port on loopback refuses in microseconds.
const CONNECT_LIMIT: Duration = Duration::from_millis(250);

/// A process that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its process id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// The address that it listens on.
    pub address: IpAddr,
}

/// Who answers at a port of 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occupant {
    /// Nobody.
    Free,
    /// These processes, the one that gets a connection to 127.0.0.1 first.
    Listeners(Vec<Listener>),
    /// Somebody that the system does not name to us: a process of another user.
    Hidden,
}

/// Looks up who listens on a TCP port of 127.0.0.1.
///
/// Blocks. A free port costs a tenth of a millisecond on Linux; the process that holds one is looked for through the open
/// files of every process, some milliseconds, when it is named for the first time. On macOS each call does that.
pub fn occupant(port: u16) -> Result<Occupant, String> {
    // Somebody may begin to listen right after the first look: only the second one makes a process hidden.
    for _ in 0..2 {
        let found = listening(port)?;
        if !found.is_empty() {
            return Ok(Occupant::Listeners(found));
        }
        if refuses(port) {
            return Ok(Occupant::Free);
        }
    }
    Ok(Occupant::Hidden)
}

/// Those who get a connection to loopback, the one to 127.0.0.1 first.
fn listening(port: u16) -> Result<Vec<Listener>, String> {
    let mut found: Vec<(u8, Listener)> = system::listening(port)?
        .into_iter()
        .filter_map(|listener| Some((precedence(listener.address)?, listener)))
        .collect();
    found.sort_by_key(|(rank, listener)| (*rank, listener.pid));
    found.dedup_by_key(|(_, listener)| listener.pid);
    Ok(found.into_iter().map(|(_, listener)| listener).collect())
}

fn refuses(port: u16) -> bool {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpStream::connect_timeout(&loopback, CONNECT_LIMIT) {
        // The kernel picked the free port itself for our end: the connection is one with itself.
        Ok(stream) => stream.local_addr().is_ok_and(|own| own == loopback),
        // A full queue answers neither way: somebody is there.
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
    }
}

/// Which listener gets a connection to 127.0.0.1: the most exact address first. `None` for an address that no
/// connection to loopback reaches.
fn precedence(address: IpAddr) -> Option<u8> {
    match address {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Some(0),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Some(1),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some(2),
        // OpenClaw listens on both loopbacks and starts with only one of them too.
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_with_its_pid() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let Occupant::Listeners(found) = occupant(socket.local_addr().unwrap().port()).unwrap() else {
            panic!("nobody found")
        };
        assert_eq!(found.iter().map(|listener| listener.pid).collect::<Vec<_>>(), [std::process::id()]);
    }

    #[tokio::test]
    async fn a_port_that_nobody_listens_on_is_free() {
        let bound = tokio::net::TcpSocket::new_v4().unwrap();
        bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let port = bound.local_addr().unwrap().port();
        assert_eq!(occupant(port).unwrap(), Occupant::Free);
    }

    #[test]
    fn a_connection_from_the_port_is_no_listener() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(socket.local_addr().unwrap()).unwrap();
        assert_eq!(occupant(client.local_addr().unwrap().port()).unwrap(), Occupant::Free);
    }
}
