//! A webhook on loopback that takes the alerts of a drill and counts them.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Largest alert that is taken, in bytes. Real ones have about two thousand.
const LARGEST: usize = 64 * 1024;

/// The receiver. It ends when it is dropped.
#[derive(Debug)]
pub struct Receiver {
    address: String,
    taken: Arc<Mutex<Taken>>,
    _server: JoinSet<io::Result<()>>,
}

#[derive(Debug, Default)]
struct Taken {
    refuses: bool,
    refused: usize,
    /// Name of the delivery, which stays the same when it is repeated, and kind of the alert.
    alerts: Vec<(String, String)>,
}

/// The part of a webhook's body that matters here.
#[derive(Deserialize)]
struct Alert {
    kind: String,
}

impl Receiver {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // Nobody else on this machine knows the path.
        let path = format!("/{:032x}", fastrand::u128(..));
        let address = format!("http://{}{path}", listener.local_addr()?);
        let taken = Arc::new(Mutex::new(Taken::default()));
        let router =
            Router::new().route(&path, post(take)).layer(DefaultBodyLimit::max(LARGEST)).with_state(Arc::clone(&taken));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, taken, _server: server })
    }

    /// Where alerts are to be posted.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// From now on every alert is refused with 503, or taken again.
    pub fn refuse(&self, refuses: bool) {
        lock(&self.taken).refuses = refuses;
    }

    /// How many requests were refused.
    #[must_use]
    pub fn refused(&self) -> usize {
        lock(&self.taken).refused
    }

    /// The kinds of the alerts that arrived, in order; one that was repeated counts once.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        lock(&self.taken).alerts.iter().map(|(_, kind)| kind.clone()).collect()
    }
}

async fn take(State(taken): State<Arc<Mutex<Taken>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut taken = lock(&taken);
    if taken.refuses {
        taken.refused += 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let name = headers.get("webhook-id").and_then(|name| name.to_str().ok());
    let (Some(name), Ok(alert)) = (name, serde_json::from_slice::<Alert>(&body)) else {
        return StatusCode::BAD_REQUEST;
    };
    if !taken.alerts.iter().any(|(known, _)| known == name) {
        taken.alerts.push((name.to_owned(), alert.kind));
    }
    StatusCode::NO_CONTENT
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn post(receiver: &Receiver, name: &str, body: &'static str) -> u16 {
        let client = crate::platform::http::local_client().build().unwrap();
        client.post(receiver.address()).header("webhook-id", name).body(body).send().await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn alerts_are_counted_once_and_refused_when_it_is_told_to() {
        let receiver = Receiver::start().await.unwrap();
        let down = r#"{"kind": "down", "title": "x"}"#;
        assert_eq!(post(&receiver, "a", down).await, 204);
        assert_eq!(post(&receiver, "a", down).await, 204, "a repetition is confirmed");
        receiver.refuse(true);
        assert_eq!(post(&receiver, "b", r#"{"kind": "recovered"}"#).await, 503);
        receiver.refuse(false);
        assert_eq!(post(&receiver, "b", r#"{"kind": "recovered"}"#).await, 204);
        assert_eq!(post(&receiver, "c", "no JSON").await, 400);
        assert_eq!((receiver.kinds(), receiver.refused()), (vec!["down".to_owned(), "recovered".to_owned()], 1));
    }
}
