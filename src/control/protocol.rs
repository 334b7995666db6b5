//! What goes over the control socket, besides [`Snapshot`](crate::snapshot::Snapshot).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::request::{Mute, Receipt};
use crate::supervisor::event::Command;

/// `GET`: the snapshot.
pub const SNAPSHOT: &str = "/v1/snapshot";
/// `POST`: [`CommandRequest`], answered by [`Reply`](crate::request::Reply).
pub const COMMAND: &str = "/v1/command";
/// `POST`: [`TestRequest`], answered by [`TestReply`].
pub const TEST_ALERTS: &str = "/v1/alerts/test";
/// `POST`: [`TestRequest`], answered by [`TestReply`]: tries at once what waits.
pub const RETRY_ALERTS: &str = "/v1/alerts/retry";
/// `POST`: [`MuteRequest`], answered by 204: disturbs nobody with alerts for a while.
pub const MUTE_ALERTS: &str = "/v1/alerts/mute";
/// `POST`: shows that Lifeguard is here.
pub const SHOW: &str = "/v1/show";
/// `POST`: quits Lifeguard; the gateway keeps running.
pub const QUIT: &str = "/v1/quit";

/// Limit for an answer that needs no work.
pub const PROMPT: Duration = Duration::from_secs(5);
/// Limit for a command: the reply to a restart comes when the heal has concluded, and a drain alone may take 330 s.
pub const COMMAND_LIMIT: Duration = Duration::from_mins(10);
/// Limit for a test of the alerts: every channel has its own, shorter one.
pub const TEST_LIMIT: Duration = Duration::from_mins(2);
/// How much longer a client waits than the server works, so that the server's own words arrive.
pub const MARGIN: Duration = Duration::from_secs(5);

/// Body of [`COMMAND`]: `{"gateway": "home", "command": "restart", "force": false}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRequest {
    /// The gateway's name; left out, the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// What to do.
    #[serde(flatten)]
    pub command: Command,
}

/// Body of [`TEST_ALERTS`] and [`RETRY_ALERTS`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TestRequest {
    /// Only this channel; left out, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// Body of [`MUTE_ALERTS`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MuteRequest {
    /// `{"until": 1795356202000}` (Unix milliseconds), `{"until": null}`: until somebody ends it; `null` ends it.
    pub mute: Option<Mute>,
}

/// Answer to [`TEST_ALERTS`] and [`RETRY_ALERTS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReply {
    /// One per channel.
    pub receipts: Vec<Receipt>,
}

/// Body of every answer that is not 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What went wrong and what to do.
    pub problem: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_flat_object() {
        let cases = [
            (Some("home"), Command::Restart { force: true }, r#"{"gateway":"home","command":"restart","force":true}"#),
            (None, Command::Stop, r#"{"command":"stop"}"#),
            (None, Command::Reset, r#"{"command":"reset"}"#),
            (None, Command::Pause { until: Some(7) }, r#"{"command":"pause","until":7}"#),
            (None, Command::Resume, r#"{"command":"resume"}"#),
            (None, Command::Probe, r#"{"command":"probe"}"#),
        ];
        for (gateway, command, text) in cases {
            let request = CommandRequest { gateway: gateway.map(str::to_owned), command };
            assert_eq!(serde_json::to_string(&request).unwrap(), text);
            assert_eq!(serde_json::from_str::<CommandRequest>(text).unwrap(), request);
        }
    }
}
