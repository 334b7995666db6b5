//! The one HTTP client of all channels that reach a remote server.

use std::time::Duration;

use reqwest::redirect::Policy;

use crate::platform::http::{client, local_client};

/// Longest wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Longest exchange, from connecting to the last byte of the answer.
const TOTAL_LIMIT: Duration = Duration::from_secs(15);
/// What is read of an answer at most: a server that pours does not fill our memory.
const BODY_LIMIT: usize = 64 * 1024;

/// Builds a client. It follows no redirect, since the request carries a secret; `local` is for a server on this
/// very machine, which is reached without encryption and without any proxy.
pub(super) fn channel_client(local: bool) -> reqwest::Result<reqwest::Client> {
    let builder = if local { local_client() } else { client().https_only(true) }
        .user_agent(concat!("openclaw-lifeguard/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_LIMIT)
        .timeout(TOTAL_LIMIT);
    builder.build()
}

/// Reads the body as far as the cap goes.
pub(super) async fn capped_body(mut response: reqwest::Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while body.len() < BODY_LIMIT {
        let Some(chunk) = response.chunk().await? else { break };
        let room = BODY_LIMIT - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(body)
}
