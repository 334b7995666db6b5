//! Faults that the practice gateway shows on request, and the client that asks for them.
//!
//! Faults travel over the unix socket `practice.sock` in the practice gateway's state folder, which only its own
//! user may open: one connection for each fault, a [`Fault`] as one line of JSON there, `ok` or the reason as one line
//! back. The socket answers in every phase, also while the gateway hangs or is a zombie. Faults end with the
//! process or its next in-process restart.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// Name of the socket in the state folder.
pub const SOCKET: &str = "practice.sock";

/// Limit for asking for one fault: the socket answers at once, or nobody is there.
const LIMIT: Duration = Duration::from_secs(5);

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum Fault {
    /// Everything back to normal, except memory, which stays taken.
    Clear,
    /// End at once, with this exit code and nothing tidied up.
    Crash {
        /// Exit code; an uncaught exception of the real one gives 1.
        code: u8,
    },
    /// End at once by SIGABRT, as V8 does when its heap is full.
    OutOfMemory,
    /// Connections open, nothing is answered, and every signal that could be handled stays pending.
    Hang,
    /// Answers come late.
    Slow {
        /// By how many milliseconds.
        latency: u64,
    },
    /// Connections are accepted and reset.
    Reset,
    /// Every probe path answers with this status and no JSON.
    Errors {
        /// HTTP status, such as 500.
        status: u16,
    },
    /// `/readyz` is 503 with these reasons in `failing`.
    NotReady {
        /// The reasons.
        reasons: Vec<String>,
    },
    /// `/readyz` is 200, but these channels are held back.
    Suppressed {
        /// The channels.
        channels: Vec<String>,
    },
    /// Probe paths answer with a body that is not theirs.
    Body {
        /// What is wrong with it.
        kind: BodyFault,
    },
    /// Take memory and keep it until the process ends.
    Leak {
        /// How much, in MiB.
        mebibytes: u32,
    },
    /// The next orderly stop takes its time, as with a dead network.
    SlowStop {
        /// Milliseconds in which it says that it drains.
        drain: u64,
        /// Milliseconds in which the process lives on with its port closed.
        linger: u64,
        /// Exit code; measured with a dead network: 1, after 10 s of draining and 315 s of lingering.
        code: u8,
    },
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyFault {
    /// Says that it is JSON, and is not.
    Invalid,
    /// JSON of another shape.
    Strange,
    /// One byte in 200 ms.
    Drip,
    /// 64 MiB.
    Huge,
    /// The connection closes in the middle.
    Truncated,
    /// The web page.
    Page,
}

/// Why a fault was not taken up.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// No practice gateway answered.
    #[error("no practice gateway answers at {}: start one with this state folder first", path.display())]
    NobodyThere {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It answered, but not with `ok`.
    #[error("the practice gateway refused the fault: {0}")]
    Refused(String),
}

/// Asks the practice gateway with this state folder for a fault, and returns when it has taken it up.
pub async fn ask(state_dir: &Path, fault: &Fault) -> Result<(), FaultError> {
    let path = state_dir.join(SOCKET);
    let exchange = async {
        let mut stream = UnixStream::connect(&path).await?;
        let mut line = serde_json::to_vec(fault)?;
        line.push(b'\n');
        stream.write_all(&line).await?;
        let mut reply = String::new();
        BufReader::new(stream).read_line(&mut reply).await?;
        Ok(reply)
    };
    let reply = match tokio::time::timeout(LIMIT, exchange).await {
        Ok(reply) => reply,
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
    };
    match reply {
        Ok(reply) if reply.trim_end() == "ok" => Ok(()),
        Ok(reply) => Err(FaultError::Refused(reply.trim_end().to_owned())),
        Err(source) => Err(FaultError::NobodyThere { path, source }),
    }
}

/// Makes the next starts with this state folder fail: each ends with `code` before it listens. Needs no running
/// gateway, so that it can outlive the one that is killed.
pub fn crash_at_starts(state_dir: &Path, times: u32, code: u8) -> io::Result<()> {
    let starts = StartCrashes { times, code };
    std::fs::write(state_dir.join(START_CRASHES), serde_json::to_vec(&starts)?)
}

/// Takes one of the failures that [`crash_at_starts`] asked for, and gives its exit code.
pub(super) fn take_start_crash(state_dir: &Path) -> io::Result<Option<u8>> {
    let path = state_dir.join(START_CRASHES);
    let starts: StartCrashes = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match starts.times.checked_sub(1) {
        None => Ok(None),
        Some(times) => {
            crash_at_starts(state_dir, times, starts.code)?;
            Ok(Some(starts.code))
        }
    }
}

/// Name of the file that [`crash_at_starts`] writes.
const START_CRASHES: &str = "practice-start-crashes.json";

#[derive(Serialize, Deserialize)]
struct StartCrashes {
    times: u32,
    code: u8,
}
