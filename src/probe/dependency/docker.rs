//! The Docker engine: a ping over its socket, or the `docker` program where there is none to ask.

use std::path::PathBuf;
use std::time::Duration;

use crate::platform::http::local_client;
use crate::service::GatewaySetup;
use crate::service::command::run;
use crate::supervisor::dependency::Trouble;

/// Limit for a ping: an engine that is well answers within milliseconds.
const PING_LIMIT: Duration = Duration::from_secs(3);

/// What is the matter with Docker; `None` if it answers.
pub(super) async fn trouble(setup: &GatewaySetup) -> Option<Trouble> {
    let elsewhere = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    match elsewhere.as_deref().map(|host| host.strip_prefix("unix://")) {
        Some(Some(socket)) => ping(PathBuf::from(socket)).await,
        // A remote engine, by TCP or ssh: its own program knows how to ask.
        Some(None) => info().await,
        None => {
            let places = [PathBuf::from("/var/run/docker.sock"), setup.home.join(".docker/run/docker.sock")];
            match places.into_iter().find(|socket| socket.exists()) {
                Some(socket) => ping(socket).await,
                None => Some(Trouble::NotRunning),
            }
        }
    }
}

/// `GET /_ping` (Docker Engine API): 200 and `OK`.
async fn ping(socket: PathBuf) -> Option<Trouble> {
    let client = match local_client().unix_socket(socket).timeout(PING_LIMIT).build() {
        Ok(client) => client,
        Err(error) => return Some(Trouble::Invalid(error.to_string())),
    };
    match client.get("http://docker/_ping").send().await {
        Ok(answer) if answer.status().is_success() => None,
        Ok(answer) => Some(Trouble::Invalid(format!("HTTP {}", answer.status().as_u16()))),
        Err(error) if error.is_timeout() => Some(Trouble::Silent),
        Err(_) => Some(Trouble::NotRunning),
    }
}

async fn info() -> Option<Trouble> {
    match run("docker", &["info", "--format", "{{.ServerVersion}}"], PING_LIMIT).await {
        Ok(output) if output.succeeded() => None,
        Ok(output) => Some(Trouble::Unreachable(output.reason())),
        Err(error) => Some(Trouble::Unreachable(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    fn engine(answer: Option<&'static str>) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&path).unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 1024];
                let length = stream.read(&mut request).await.unwrap();
                assert!(request[..length].starts_with(b"GET /_ping HTTP/1.1"));
                match answer {
                    Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                    None => held.push(stream),
                }
            }
        });
        (folder, path)
    }

    #[tokio::test]
    async fn an_engine_is_well_broken_silent_or_not_there() {
        let (_well, path) = engine(Some("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"));
        assert_eq!(ping(path).await, None);
        let (_broken, path) = engine(Some("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(ping(path).await, Some(Trouble::Invalid("HTTP 500".to_owned())));
        let (_silent, path) = engine(None);
        assert_eq!(ping(path).await, Some(Trouble::Silent));
        assert_eq!(ping(PathBuf::from("/nowhere/docker.sock")).await, Some(Trouble::NotRunning));
    }
}
