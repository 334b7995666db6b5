//! Finding the gateway's main process, and making sure that it is one.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::setup::GatewaySetup;
use crate::platform::port::{Occupant, occupant};
use crate::platform::process::{ProcessInfo, ProcessKey, identify};
use crate::supervisor::observation::Identity;

/// Limit for finding a process: reading `/proc` takes milliseconds unless the machine is in trouble.
const FIND_LIMIT: Duration = Duration::from_secs(2);

/// Longest lock file that is read, in bytes; the real one has a few hundred and padding.
const LOCK_LIMIT: u64 = 64 * 1024;

/// The part of an identity that the kernel knows.
#[must_use]
pub fn key(identity: &Identity) -> ProcessKey {
    ProcessKey { pid: identity.pid, started: identity.started }
}

/// The identity of a process.
#[must_use]
pub fn of(info: &ProcessInfo) -> Identity {
    Identity { pid: info.key.pid, started: info.key.started, command: info.command() }
}

/// The gateway's main process, found by the gateway's lock file or by its port; `None` if none can be confirmed.
///
/// The port may cost some milliseconds (see [`occupant`]), so it is asked only if the lock file names nobody.
pub async fn find(setup: &GatewaySetup) -> Option<Identity> {
    let setup = setup.clone();
    let looked = tokio::task::spawn_blocking(move || by_lock(&setup).or_else(|| by_port(&setup)));
    match tokio::time::timeout(FIND_LIMIT, looked).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::error!(%error, "looking for the gateway's process ended badly");
            None
        }
        Err(_) => {
            tracing::warn!(limit = ?FIND_LIMIT, "looking for the gateway's process took too long");
            None
        }
    }
}

/// The process that a pid names, if it is a gateway of the right user.
#[must_use]
pub fn confirm(pid: u32, uid: u32) -> Option<Identity> {
    let info = identify(pid)?;
    (info.uid == uid && is_gateway(&info.argv)).then(|| of(&info))
}

fn by_lock(setup: &GatewaySetup) -> Option<Identity> {
    let path = setup.state_dir.join("tmp").join(format!("openclaw-{}", setup.uid)).join("gateway.state.lock");
    let lock = read_lock(&path)?;
    if lock.port.is_some_and(|port| port != setup.port) {
        return None;
    }
    let identity = confirm(lock.pid, setup.uid)?;
    // A gateway that was killed leaves its lock behind, and its pid may belong to a later one. OpenClaw writes
    // the start stamp of /proc there.
    let stale = cfg!(target_os = "linux") && lock.stamp().is_some_and(|started| started != identity.started);
    (!stale).then_some(identity)
}

fn by_port(setup: &GatewaySetup) -> Option<Identity> {
    match occupant(setup.port) {
        Ok(Occupant::Listeners(listeners)) => listeners.iter().find_map(|listener| confirm(listener.pid, setup.uid)),
        Ok(Occupant::Free | Occupant::Hidden) => None,
        Err(error) => {
            tracing::warn!(port = setup.port, error, "cannot look up who listens on the port");
            None
        }
    }
}

/// The gateway's lock file, as far as it matters here.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Lock {
    pid: u32,
    port: Option<u16>,
    #[serde(rename = "startTime")]
    started: Option<serde_json::Value>,
}

impl Lock {
    /// The start stamp, where OpenClaw wrote one that is comparable with the kernel's.
    #[must_use]
    pub fn stamp(&self) -> Option<u64> {
        self.started.as_ref()?.as_u64()
    }
}

fn read_lock(path: &Path) -> Option<Lock> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(LOCK_LIMIT).read_to_end(&mut bytes).ok()?;
    parse_lock(&bytes)
}

/// Reads a lock file: JSON, followed by padding of any kind.
#[must_use]
pub fn parse_lock(bytes: &[u8]) -> Option<Lock> {
    serde_json::Deserializer::from_slice(bytes).into_iter().next()?.ok()
}

/// Whether an argument list or a title is that of a gateway.
///
/// The title `openclaw` is also that of a passing `openclaw status`: this is a check of a process that the port,
/// the lock file or the service manager named, never a way to search for one.
#[must_use]
pub fn is_gateway(argv: &[String]) -> bool {
    let Some((program, arguments)) = argv.split_first() else { return false };
    if arguments.is_empty() {
        return matches!(program.trim(), "openclaw-gateway" | "openclaw");
    }
    match file_name(program) {
        "lifeguard" => arguments.first().is_some_and(|argument| argument == "practice-gateway"),
        "openclaw" => runs_gateway(arguments),
        name if name.starts_with("node") || name == "bun" => {
            let script = arguments.iter().position(|argument| is_openclaw_script(argument));
            script.is_some_and(|position| runs_gateway(&arguments[position + 1..]))
        }
        _ => false,
    }
}

/// `gateway` and `gateway run` run the gateway; `gateway stop` and its like are passing commands.
fn runs_gateway(arguments: &[String]) -> bool {
    let mut words = arguments.iter().map(String::as_str).skip_while(|word| *word != "gateway");
    words.next().is_some() && words.next().is_none_or(|word| word == "run" || word.starts_with('-'))
}

fn is_openclaw_script(argument: &str) -> bool {
    let folder = |suffix| Path::new(argument).ends_with(suffix);
    matches!(file_name(argument), "openclaw.mjs" | "openclaw")
        || folder("openclaw/dist/index.js")
        || folder("openclaw/dist/entry.js")
}

fn file_name(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged(line: &str) -> bool {
        is_gateway(&line.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn gateways_are_recognised() {
        for line in [
            "openclaw-gateway",
            "openclaw",
            "node openclaw.mjs gateway run --port 18789 --bind loopback",
            "/usr/bin/node /usr/bin/openclaw gateway",
            "/opt/homebrew/bin/node --max-old-space-size=2048 /opt/homebrew/lib/node_modules/openclaw/dist/index.js gateway --port 18789",
            "/usr/local/bin/openclaw gateway run",
            "node26 /x/openclaw.mjs --profile work gateway --port 1",
            "target/debug/lifeguard practice-gateway --port 1",
        ] {
            assert!(judged(line), "{line}");
        }
    }

    #[test]
    fn other_programs_are_not() {
        for line in [
            "",
            "node",
            "openclaw status --json",
            "node openclaw.mjs gateway restart",
            "node openclaw.mjs gateway stop --force",
            "node server.js gateway run",
            "node /srv/app/dist/index.js gateway",
            "vim openclaw.mjs gateway",
            "lifeguard watch",
            "openclaw-gateway-exporter",
            "sleep 60",
        ] {
            assert!(!judged(line), "{line}");
        }
    }

    #[test]
    fn the_lock_is_json_and_padding() {
        let lock = parse_lock(b"{\"pid\":20056,\"ownerId\":\"x\",\"port\":18789,\"startTime\":123456}\n\t\t\t   \t");
        assert_eq!(lock, Some(Lock { pid: 20056, port: Some(18789), started: Some(123_456.into()) }));
        for broken in [&b""[..], b"{", b"[]", b"{\"pid\":\"1\"}", b"\0\0\0"] {
            assert_eq!(parse_lock(broken), None);
        }
        let odd = parse_lock(b"{\"pid\":1,\"startTime\":null}");
        assert_eq!(odd, Some(Lock { pid: 1, port: None, started: None }));
    }

    proptest! {
        #[test]
        fn any_lock_file_names_a_process_or_nobody(
            text in "(\\{|\\}|\"pid\":|\"port\":|\"startTime\":|-?[0-9]{1,25}|,|null|\"|.){0,30}",
            noise in any::<Vec<u8>>(),
        ) {
            for bytes in [text.into_bytes(), noise] {
                let _ = parse_lock(&bytes).and_then(|lock| lock.stamp());
            }
        }
    }
}
