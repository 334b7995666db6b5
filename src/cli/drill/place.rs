//! The place of one drill: a temporary folder with a practice gateway, a Lifeguard for it and a receiver of its alerts.

use std::fmt::Write;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::cli::context::Failure;
use crate::control::client::ControlClient;
use crate::drill::faults::{self, Fault};
use crate::drill::practice::write_config;
use crate::drill::receiver::Receiver;
use crate::history::History;
use crate::history::timeline::HealRecord;
use crate::platform::boot_id;
use crate::platform::process::{self, ProcessInfo, ProcessKey, Signal, own_uid};
use crate::service::identity;
use crate::snapshot::{GatewaySnapshot, Snapshot};
use crate::supervisor::verdict::Health;
use crate::text::Language;
use crate::text::drill::DrillProblem;

/// The gateway's name.
pub(super) const GATEWAY: &str = "practice";

/// Limit for Lifeguard and its gateway to come up: two seconds on an idle machine.
const START_LIMIT: Duration = Duration::from_mins(1);

/// Limit for Lifeguard to end in order: its own limit for its last alerts, and a margin.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Limit for what was killed to be gone.
const GONE_LIMIT: Duration = Duration::from_secs(10);

/// How often to look.
pub(super) const LOOK: Duration = Duration::from_millis(25);

/// Bytes of the Lifeguard's own output that are shown when it did not come up.
const SAID: usize = 2_000;

/// What a drill wants other than the others.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    /// Longest that a probe waits for an answer; the others' is a second.
    pub(super) patient: bool,
    /// A host that the gateway needs: `host:port`.
    pub(super) host: Option<String>,
    /// The gateway needs more room on its disk than any disk has.
    pub(super) no_room: bool,
}

/// The place. [`Place::clear_away`] leaves nothing of it.
pub(super) struct Place {
    folder: TempDir,
    pub(super) port: u16,
    pub(super) receiver: Arc<Receiver>,
    language: Language,
    lifeguard: Option<Child>,
}

impl Place {
    /// Makes the folder and the gateway's configuration, and starts the receiver.
    pub(super) async fn make(language: Language) -> Result<Self, Failure> {
        let failed = |cause: io::Error| DrillProblem::Place(cause.to_string());
        let private = std::fs::Permissions::from_mode(0o700);
        let folder =
            tempfile::Builder::new().prefix("lifeguard-drill-").permissions(private).tempdir().map_err(failed)?;
        let port = free_port().map_err(failed)?;
        write_config(&folder.path().join("openclaw"), port).map_err(failed)?;
        let receiver = Arc::new(Receiver::start().await.map_err(failed)?);
        Ok(Self { folder, port, receiver, language, lifeguard: None })
    }

    /// The practice gateway's state folder.
    pub(super) fn gateway_dir(&self) -> PathBuf {
        self.folder.path().join("openclaw")
    }

    /// The practice gateway's configuration.
    pub(super) fn gateway_config(&self) -> PathBuf {
        self.gateway_dir().join("openclaw.json")
    }

    /// The Lifeguard's state folder.
    pub(super) fn state_dir(&self) -> PathBuf {
        self.folder.path().join("lifeguard")
    }

    /// Writes the Lifeguard's configuration and starts it.
    pub(super) fn start(&mut self, wishes: &Wishes) -> Result<(), Failure> {
        let failed = |cause: io::Error| DrillProblem::Place(cause.to_string());
        let program = std::env::current_exe().map_err(failed)?;
        let config = self.folder.path().join("lifeguard.toml");
        std::fs::write(&config, self.configuration(&program, wishes)).map_err(failed)?;
        let said = std::fs::File::create(self.said_file()).map_err(failed)?;
        let mut command = Command::new(&program);
        command
            .arg("--config")
            .arg(&config)
            .args(["--language", self.language.pick("en", "ko"), "practice-watch"])
            .env_clear()
            .env("HOME", self.folder.path())
            .env("LIFEGUARD_STATE_DIR", self.state_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            // Ctrl-C is for the drill, which ends its Lifeguard in order.
            .process_group(0)
            .kill_on_drop(true);
        for name in ["PATH", "TZ", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        self.lifeguard = Some(command.spawn().map_err(failed)?);
        Ok(())
    }

    /// The Lifeguard's configuration: everything quick, for a gateway that starts in half a second.
    fn configuration(&self, program: &Path, wishes: &Wishes) -> String {
        let timeout = if wishes.patient { "6s" } else { "1s" };
        let command = [
            program.to_string_lossy().as_ref(),
            "practice-gateway",
            "--port",
            &self.port.to_string(),
            "--state-dir",
            &self.gateway_dir().to_string_lossy(),
            "--startup",
            "300ms",
            "--sidecars",
            "100ms",
            // On a port that is taken it ends soon, for Lifeguard to see to.
            "--port-tries",
            "1",
            "--unclean-window",
            "1ms",
        ]
        .map(quoted)
        .join(", ");
        let mut text = format!(
            r#"web = {{ enabled = false }}

[probe]
interval = "300ms"
retry_interval = "100ms"
connect_timeout = "1s"
timeout = "{timeout}"

[heal]
hang_patience = "{timeout}"
unready_patience = "1s"
healthy_hold = "1s"
startup_grace = "20s"
startup_limit = "30s"
drain_limit = "20s"
backoff_seconds = [1, 2, 3]
budget = 10
config_guard = "rollback"

[memory]
warning_megabytes = 300
critical_megabytes = 350
limit_megabytes = 400
sustained = "500ms"

[alerts]
cooldown = "0s"
critical_cooldown = "0s"
storm_after = 1000
native = {{ enabled = false }}
webhook = {{ url = {address} }}

[[gateway]]
name = "{GATEWAY}"
service = "child"
port = {port}
state_dir = {state_dir}
config_path = {config_path}
command = [{command}]
"#,
            address = quoted(self.receiver.address()),
            port = self.port,
            state_dir = quoted(&self.gateway_dir().to_string_lossy()),
            config_path = quoted(&self.gateway_config().to_string_lossy()),
        );
        if let Some(host) = &wishes.host {
            let _ = writeln!(text, "\n[gateway.needs]\nhosts = [{}]", quoted(host));
        }
        if wishes.no_room {
            // A billion megabytes.
            let _ = writeln!(text, "\n[gateway.needs]\nfree_disk_megabytes = 1000000000");
        }
        text
    }

    /// The way to the Lifeguard.
    pub(super) fn client(&self) -> Result<ControlClient, Failure> {
        Ok(ControlClient::new(&self.state_dir().join("run/control.sock"))?)
    }

    /// The gateway as the Lifeguard shows it, and how that picture is; `None`: it does not answer.
    pub(super) async fn look(&self) -> Option<(Snapshot, GatewaySnapshot)> {
        let snapshot = self.client().ok()?.snapshot().await.ok()?;
        let gateway = snapshot.gateways.first()?.clone();
        Some((snapshot, gateway))
    }

    /// Waits until the gateway is healthy and nothing is under way.
    pub(super) async fn wait_healthy(&self) -> Result<GatewaySnapshot, Failure> {
        let end = Instant::now() + START_LIMIT;
        let mut health = None;
        while Instant::now() < end {
            if let Some((_, gateway)) = self.look().await {
                health = Some(gateway.health);
                if gateway.health == Health::Healthy && gateway.pid.is_some() && gateway.incident.is_none() {
                    return Ok(gateway);
                }
            }
            sleep(LOOK).await;
        }
        let said = std::fs::read(self.said_file()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said[said.len().saturating_sub(SAID)..]).trim().to_owned();
        Err(DrillProblem::NotUp { health, said }.into())
    }

    /// The gateway's process, if it is the one of this place.
    pub(super) fn gateway(&self, pid: Option<u32>) -> Result<ProcessKey, Failure> {
        let confirmed = pid.and_then(|pid| identity::confirm(pid, own_uid()));
        let running = confirmed.and_then(|identity| process::identify(identity.pid));
        let ours = running.filter(|info| self.owns(info));
        ours.map(|info| info.key).ok_or_else(|| DrillProblem::Unconfirmed(GATEWAY.to_owned()).into())
    }

    /// Asks the practice gateway for a fault.
    pub(super) async fn fault(&self, fault: &Fault) -> Result<(), Failure> {
        Ok(faults::ask(&self.gateway_dir(), fault).await.map_err(|error| DrillProblem::NoFault(error.to_string()))?)
    }

    /// The attempts that began since `from` (Unix milliseconds).
    pub(super) fn heals(&self, from: i64) -> Vec<HealRecord> {
        let history = History::look(&self.state_dir(), boot_id());
        history.and_then(|history| history.heals(GATEWAY, from, i64::MAX)).unwrap_or_default()
    }

    /// Ends the Lifeguard as a crash would; its gateway lives on.
    pub(super) async fn crash(&mut self) -> Result<(), Failure> {
        if let Some(mut lifeguard) = self.lifeguard.take() {
            lifeguard.kill().await.map_err(|cause| DrillProblem::NoFault(cause.to_string()))?;
        }
        Ok(())
    }

    /// Ends everything that was started here and removes the folder. The Lifeguard goes first: it would start the
    /// gateway again.
    pub(super) async fn clear_away(mut self) -> Result<(), Failure> {
        if let Some(mut lifeguard) = self.lifeguard.take() {
            let key = lifeguard.id().and_then(process::key_of_own_child);
            let asked = key.is_some_and(|key| process::signal(key, Signal::Terminate).is_ok());
            if !asked || timeout(END_LIMIT, lifeguard.wait()).await.is_err() {
                lifeguard.kill().await.map_err(|cause| DrillProblem::LeftBehind(cause.to_string()))?;
            }
        }
        let end = Instant::now() + GONE_LIMIT;
        loop {
            let left = self.inhabitants();
            let Some(one) = left.first() else { break };
            if Instant::now() > end {
                return Err(DrillProblem::LeftBehind(format!("{} (pid {})", one.command(), one.key.pid)).into());
            }
            for info in &left {
                // One that has ended meanwhile is what is wanted.
                let _ = process::signal(info.key, Signal::Kill);
            }
            sleep(LOOK).await;
        }
        let path = self.folder.path().display().to_string();
        self.folder.close().map_err(|cause| DrillProblem::LeftBehind(format!("{path}: {cause}")))?;
        Ok(())
    }

    /// The practice gateways of this place.
    fn inhabitants(&self) -> Vec<ProcessInfo> {
        process::of_user(own_uid()).into_iter().filter(|info| self.owns(info)).collect()
    }

    fn owns(&self, info: &ProcessInfo) -> bool {
        let folder = self.gateway_dir();
        identity::is_gateway(&info.argv) && info.argv.iter().any(|word| Path::new(word) == folder)
    }

    fn said_file(&self) -> PathBuf {
        self.folder.path().join("said.txt")
    }
}

/// A port of 127.0.0.1 that was free a moment ago, from below the range that the system gives to outgoing connections:
/// none of those takes it while the gateway is down.
fn free_port() -> io::Result<u16> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..100 {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, fastrand::u16(20_000..32_000))) {
            Ok(listener) => return listener.local_addr().map(|address| address.port()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A basic string of TOML: its escapes are JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
