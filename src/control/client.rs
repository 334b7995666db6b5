//! The client's side of the control socket.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::{self, CommandRequest, MuteRequest, Problem, TestReply, TestRequest};
use crate::platform::http::local_client;
use crate::request::{Mute, Receipt, Reply};
use crate::snapshot::Snapshot;
use crate::supervisor::event::Command;

/// Largest answer that is taken, in bytes. A snapshot of one gateway has about a thousand.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Limit for opening the connection.
const CONNECT: Duration = Duration::from_secs(2);

/// Talks to the Lifeguard that runs.
#[derive(Debug, Clone)]
pub struct ControlClient {
    client: Client,
    socket: PathBuf,
}

impl ControlClient {
    /// A client for this socket. Nothing is opened yet.
    pub fn new(socket: &Path) -> Result<Self, ClientError> {
        let client =
            local_client().unix_socket(socket).connect_timeout(CONNECT).build().map_err(ClientError::Broken)?;
        Ok(Self { client, socket: socket.to_owned() })
    }

    /// The current snapshot.
    pub async fn snapshot(&self) -> Result<Snapshot, ClientError> {
        self.ask(Method::GET, protocol::SNAPSHOT, None::<&()>, protocol::PROMPT).await
    }

    /// Asks for something about a gateway. The answer to a restart comes when it is over.
    pub async fn command(&self, gateway: Option<String>, command: Command) -> Result<Reply, ClientError> {
        let request = CommandRequest { gateway, command };
        self.ask(Method::POST, protocol::COMMAND, Some(&request), protocol::COMMAND_LIMIT).await
    }

    /// Sends a test alert to one channel or to all.
    pub async fn test_alerts(&self, channel: Option<String>) -> Result<Vec<Receipt>, ClientError> {
        let request = TestRequest { channel };
        let reply: TestReply =
            self.ask(Method::POST, protocol::TEST_ALERTS, Some(&request), protocol::TEST_LIMIT).await?;
        Ok(reply.receipts)
    }

    /// Tries at once what waits on one channel, or on all.
    pub async fn retry_alerts(&self, channel: Option<String>) -> Result<Vec<Receipt>, ClientError> {
        let request = TestRequest { channel };
        let reply: TestReply =
            self.ask(Method::POST, protocol::RETRY_ALERTS, Some(&request), protocol::TEST_LIMIT).await?;
        Ok(reply.receipts)
    }

    /// Disturbs nobody with alerts for a while; `None`: no longer.
    pub async fn mute_alerts(&self, mute: Option<Mute>) -> Result<(), ClientError> {
        let request = MuteRequest { mute };
        self.send(Method::POST, protocol::MUTE_ALERTS, Some(&request), protocol::PROMPT).await.map(|_| ())
    }

    /// Makes the Lifeguard that runs show itself.
    pub async fn show(&self) -> Result<(), ClientError> {
        self.send(Method::POST, protocol::SHOW, None::<&()>, protocol::PROMPT).await.map(|_| ())
    }

    /// Quits the Lifeguard that runs.
    pub async fn quit(&self) -> Result<(), ClientError> {
        self.send(Method::POST, protocol::QUIT, None::<&()>, protocol::PROMPT).await.map(|_| ())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        limit: Duration,
    ) -> Result<T, ClientError> {
        let bytes = self.send(method, path, body, limit).await?;
        serde_json::from_slice(&bytes).map_err(ClientError::NotUnderstood)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        limit: Duration,
    ) -> Result<Vec<u8>, ClientError> {
        self.check_owner()?;
        let mut request =
            self.client.request(method, format!("http://lifeguard{path}")).timeout(limit + protocol::MARGIN);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(classify)?;
        let status = response.status();
        let bytes = read(response).await?;
        if status.is_success() {
            return Ok(bytes);
        }
        let problem = serde_json::from_slice(&bytes).map_or_else(|_| status.to_string(), |body: Problem| body.problem);
        Err(ClientError::Refused { status, problem })
    }

    /// Somebody else's socket would show a made-up state.
    fn check_owner(&self) -> Result<(), ClientError> {
        match self.socket.symlink_metadata() {
            Ok(metadata) if metadata.uid() == rustix::process::geteuid().as_raw() => Ok(()),
            Ok(_) => Err(ClientError::Foreign(self.socket.clone())),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(ClientError::NotRunning),
            Err(cause) => Err(ClientError::Unreachable { socket: self.socket.clone(), cause }),
        }
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, ClientError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(classify)? {
        if bytes.len() + chunk.len() > LARGEST_ANSWER {
            return Err(ClientError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Nobody listening is told apart from a connection that broke.
fn classify(error: reqwest::Error) -> ClientError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        let kind = inner.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)) {
            return ClientError::NotRunning;
        }
        cause = inner.source();
    }
    if error.is_timeout() { ClientError::TimedOut } else { ClientError::Broken(error) }
}

/// Why the Lifeguard that runs could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// None runs.
    #[error("Lifeguard is not running; start it with `lifeguard`, or `lifeguard watch` without a screen")]
    NotRunning,
    /// The socket belongs to another user.
    #[error("{0} belongs to another user and is not trusted; remove it, or set LIFEGUARD_STATE_DIR")]
    Foreign(PathBuf),
    /// The socket cannot be looked at.
    #[error("the control socket {socket} cannot be reached: {cause}")]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// No answer within the limit.
    #[error("Lifeguard runs, but did not answer in time; `lifeguard logs watchdog` may say why")]
    TimedOut,
    /// It answered no.
    #[error("{problem}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// Its words.
        problem: String,
    },
    /// The connection broke.
    #[error("the connection to Lifeguard broke: {0}; try again")]
    Broken(#[source] reqwest::Error),
    /// It answered something else than expected.
    #[error("the Lifeguard that runs is of another version ({0}); quit it and start it again")]
    NotUnderstood(#[source] serde_json::Error),
    /// It answered too much.
    #[error("Lifeguard's answer is too large; quit it and start it again")]
    TooLarge,
}
