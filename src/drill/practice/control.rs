//! The socket over which faults are asked for, and what it has set.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};

use crate::drill::faults::{BodyFault, Fault, SOCKET};

/// Longest request.
const REQUEST_LIMIT: u64 = 64 * 1024;
/// Limit for one exchange.
const LIMIT: Duration = Duration::from_secs(5);

/// The faults that last.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub(super) hang: bool,
    pub(super) reset: bool,
    pub(super) latency: Duration,
    pub(super) status: Option<u16>,
    pub(super) body: Option<BodyFault>,
    pub(super) failing: Vec<String>,
    pub(super) suppressed: Vec<String>,
    pub(super) slow_stop: Option<SlowStop>,
}

/// How slowly it stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct SlowStop {
    pub(super) drain: Duration,
    pub(super) linger: Duration,
    pub(super) code: u8,
}

/// An end without any tidying up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    Exit(u8),
    Abort,
}

/// The listening end of the socket.
pub(super) struct FaultSocket {
    listener: UnixListener,
    faults: watch::Sender<Faults>,
    deaths: mpsc::Sender<Death>,
    leaked: Vec<Vec<u8>>,
}

impl FaultSocket {
    /// Binds the socket; one that a dead gateway left behind goes away. Only for the holder of the lock.
    pub(super) fn bind(
        state_dir: &Path,
        faults: watch::Sender<Faults>,
        deaths: mpsc::Sender<Death>,
    ) -> io::Result<Self> {
        let path = state_dir.join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, faults, deaths, leaked: Vec::new() })
    }

    /// Takes up faults until it is dropped.
    pub(super) async fn serve(mut self) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => match tokio::time::timeout(LIMIT, self.exchange(stream)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "a request for a fault broke off"),
                    Err(_) => tracing::warn!("a request for a fault took too long"),
                },
                Err(error) => {
                    tracing::warn!(%error, "no request for a fault could be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn exchange(&mut self, stream: UnixStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        (&mut stream).take(REQUEST_LIMIT).read_line(&mut line).await?;
        match serde_json::from_str(&line) {
            Ok(fault) => {
                let death = self.take_up(fault);
                stream.write_all(b"ok\n").await?;
                if let Some(death) = death {
                    // The receiver lives as long as the process; without it there is nothing left to end.
                    let _ended = self.deaths.send(death).await;
                }
                Ok(())
            }
            Err(error) => stream.write_all(format!("{error}\n").as_bytes()).await,
        }
    }

    fn take_up(&mut self, fault: Fault) -> Option<Death> {
        match fault {
            Fault::Crash { code } => return Some(Death::Exit(code)),
            Fault::OutOfMemory => return Some(Death::Abort),
            // Ones, not zeros: pages of zeros would stay with the kernel and never count as resident.
            Fault::Leak { mebibytes } => self.leaked.extend((0..mebibytes).map(|_| vec![1; 1024 * 1024])),
            lasting => self.faults.send_modify(|faults| match lasting {
                Fault::Hang => faults.hang = true,
                Fault::Slow { latency } => faults.latency = Duration::from_millis(latency),
                Fault::Reset => faults.reset = true,
                Fault::Errors { status } => faults.status = Some(status),
                Fault::NotReady { reasons } => faults.failing = reasons,
                Fault::Suppressed { channels } => faults.suppressed = channels,
                Fault::Body { kind } => faults.body = Some(kind),
                Fault::SlowStop { drain, linger, code } => {
                    let (drain, linger) = (Duration::from_millis(drain), Duration::from_millis(linger));
                    faults.slow_stop = Some(SlowStop { drain, linger, code });
                }
                Fault::Clear | Fault::Crash { .. } | Fault::OutOfMemory | Fault::Leak { .. } => {
                    *faults = Faults::default();
                }
            }),
        }
        None
    }
}
