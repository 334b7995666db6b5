//! Who owns the gateway's port.

use crate::platform::port::{Listener, Occupant, occupant};
use crate::redact::harmless;
use crate::supervisor::observation::{Identity, PortOwner};

/// Whose process holds a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The gateway's own.
    Gateway,
    /// That of another gateway, which is confirmed to be one.
    OtherGateway(Identity),
    /// Somebody else's.
    Stranger,
}

/// Looks up who listens on a port of 127.0.0.1; `holder` tells whose a process is.
///
/// May read every open file of every process that it may look into, on a thread of its own: call it when the answer
/// decides something, not in every round.
pub async fn owner(port: u16, holder: impl Fn(u32) -> Holder + Send + 'static) -> PortOwner {
    let looked = tokio::task::spawn_blocking(move || match occupant(port) {
        Ok(found) => judge(found, holder),
        Err(error) => {
            tracing::warn!(port, error, "cannot look up who listens on the port");
            PortOwner::Unknown
        }
    });
    looked.await.unwrap_or(PortOwner::Unknown)
}

fn judge(found: Occupant, holder: impl Fn(u32) -> Holder) -> PortOwner {
    match found {
        Occupant::Free => PortOwner::Free,
        Occupant::Hidden => PortOwner::Stranger { pid: None, name: String::new() },
        // The first one is who a connection to 127.0.0.1 reaches: a gateway behind it does not help.
        Occupant::Listeners(listeners) => match listeners.into_iter().next() {
            Some(Listener { pid, name, .. }) => match holder(pid) {
                Holder::Gateway => PortOwner::Gateway,
                Holder::OtherGateway(identity) => PortOwner::OtherGateway(identity),
                Holder::Stranger => PortOwner::Stranger { pid: Some(pid), name: harmless(&name) },
            },
            None => PortOwner::Free,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_gateway_and_a_stranger_are_told_apart() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let own = std::process::id();
        let whose = move |pid| if pid == own { Holder::Gateway } else { Holder::Stranger };
        assert_eq!(owner(port, whose).await, PortOwner::Gateway);
        let PortOwner::Stranger { pid, name } = owner(port, |_| Holder::Stranger).await else { panic!("no stranger") };
        assert_eq!(pid, Some(own));
        assert!(!name.is_empty());
    }

    #[test]
    fn a_process_of_another_user_is_a_stranger_without_a_name() {
        let stranger = PortOwner::Stranger { pid: None, name: String::new() };
        assert_eq!(judge(Occupant::Hidden, |_| Holder::Gateway), stranger);
    }
}
