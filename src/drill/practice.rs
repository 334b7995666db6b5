//! The practice gateway: an honest imitation of the OpenClaw gateway's HTTP face, signals, exit codes and files,
//! for demonstrations and tests. It has no agents, channels or models.
//!
//! Its process keeps our own name on purpose: OpenClaw's tools look for `openclaw-gateway` and must not find it.

mod boots;
mod configuration;
mod console;
mod control;
mod endpoints;
mod http;
mod life;
mod lock;
mod signals;
mod version;

use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use tokio::sync::{mpsc, watch};

use boots::Boots;
use configuration::{Configuration, Refusal};
use console::{say, say_plain};
use control::{FaultSocket, Faults};
use life::Gateway;
use lock::{Lock, Taken};
use signals::Signals;
pub use version::Version;

/// The real one's port where nothing else is said.
const DEFAULT_PORT: u16 = 18789;

/// What `lifeguard practice-gateway` takes.
#[derive(Debug, Clone, Args)]
#[command(args_override_self = true)]
pub struct PracticeOptions {
    /// Port on 127.0.0.1 and `::1`; otherwise `OPENCLAW_GATEWAY_PORT`, then `gateway.port`, then 18789.
    #[arg(long)]
    pub port: Option<u16>,
    /// State folder, with `openclaw.json` in it. Never the one of a real gateway, so it has no default.
    #[arg(long)]
    pub state_dir: PathBuf,
    /// From the start of the process until the port opens; the first half of it passes before signals are handled.
    #[arg(long, default_value = "2s", value_parser = duration)]
    pub startup: Duration,
    /// From the opening of the port until it is ready.
    #[arg(long, default_value = "1s", value_parser = duration)]
    pub sidecars: Duration,
    /// How long it says that it drains before it stops.
    #[arg(long, default_value = "60ms", value_parser = duration)]
    pub drain: Duration,
    /// How long its port stays closed in a restart that keeps the process.
    #[arg(long, default_value = "500ms", value_parser = duration)]
    pub restart: Duration,
    /// End with this exit code instead of listening.
    #[arg(long)]
    pub exit_at_start: Option<u8>,
    /// Start without a configuration file.
    #[arg(long)]
    pub allow_unconfigured: bool,
    /// How often it tries again when its port is taken.
    #[arg(long, default_value_t = 20)]
    pub port_tries: u32,
    /// Distance of two such tries.
    #[arg(long, default_value = "500ms", value_parser = duration)]
    pub port_retry: Duration,
    /// Window in which three unclean ends hold the channels back.
    #[arg(long, default_value = "5m", value_parser = duration)]
    pub unclean_window: Duration,
    /// The release to imitate.
    #[arg(long, value_enum, default_value = "2026.9.6")]
    pub version_like: Version,
}

/// Why a practice gateway could not be run. How the real one fails is not here: that ends with its exit code.
#[derive(Debug, thiserror::Error)]
pub enum PracticeError {
    /// The state folder cannot be used.
    #[error("the practice gateway cannot use its state folder {} ({source}): make it writable, or choose another with a short path with --state-dir", path.display())]
    StateDir {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The port cannot be listened on, for another reason than that it is taken.
    #[error("the practice gateway cannot listen on port {port} ({source}): choose another with --port")]
    Port {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// No signal can be received.
    #[error("the practice gateway cannot handle signals ({0}): start it again")]
    Signals(#[source] io::Error),
}

/// Writes a configuration with which a gateway in `state_dir`, practice or real, starts on `port` with a Telegram
/// channel that is switched off, and makes no request to the outside. Creates the folder, readable by its user only.
pub fn write_config(state_dir: &Path, port: u16) -> io::Result<PathBuf> {
    use std::io::Write as _;
    use std::os::unix::fs::DirBuilderExt as _;

    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(state_dir)?;
    let config = serde_json::json!({
        "gateway": {
            "mode": "local",
            "port": port,
            "bind": "loopback",
            "auth": {"mode": "token", "token": format!("{:032x}", fastrand::u128(..))},
        },
        "channels": {"telegram": {"enabled": false}},
        "update": {"checkOnStart": false},
        "models": {"catalogRefresh": {"enabled": false}},
    });
    let path = state_dir.join("openclaw.json");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    file.write_all(serde_json::to_string_pretty(&config)?.as_bytes())?;
    Ok(path)
}

/// Runs a practice gateway in this process until it ends; gives its exit code.
pub async fn run(options: PracticeOptions) -> Result<i32, PracticeError> {
    let config_path = options.state_dir.join("openclaw.json");
    say("gateway", "loading configuration…");
    let found = Configuration::load(&config_path);
    let configuration = match &found {
        Ok(configuration) => configuration.clone(),
        Err(Refusal::Missing) if options.allow_unconfigured => Configuration::default(),
        Err(refusal) => {
            say_plain(refusal);
            return Ok(options.version_like.bad_config_code());
        }
    };
    say("gateway", "resolving authentication…");
    say("gateway", "starting...");
    // Handlers come late in the real one as well: until then SIGTERM kills instead of stopping.
    tokio::time::sleep(options.startup / 2).await;
    let named = std::env::var("OPENCLAW_GATEWAY_PORT").ok().and_then(|port| port.parse().ok());
    let port = options.port.or(named).or(configuration.port()).unwrap_or(DEFAULT_PORT);
    let unusable = |source| PracticeError::StateDir { path: options.state_dir.clone(), source };
    let lock = match Lock::take(&options.state_dir, &config_path, port).map_err(unusable)? {
        Taken::Ours(lock) => lock,
        Taken::Held { pid } => {
            say_plain(already_running(options.version_like, pid));
            return Ok(options.version_like.second_instance_code());
        }
    };
    let boots = Boots::begin(&options.state_dir, options.unclean_window).map_err(unusable)?;
    if boots.tripped() {
        let window = options.unclean_window.as_millis();
        say(
            "gateway",
            format_args!(
                "restart-loop breaker tripped: 3 unclean boot(s) within {window}ms; suppressing channel/provider account auto-start."
            ),
        );
    }
    let faults = watch::Sender::new(Faults::default());
    let (deaths_in, deaths) = mpsc::channel(1);
    let socket = FaultSocket::bind(&options.state_dir, faults.clone(), deaths_in).map_err(unusable)?;
    // Aborted, and its socket closed, when this function returns.
    let mut control = tokio::task::JoinSet::new();
    control.spawn(socket.serve());
    let signals = Signals::listen(options.version_like).map_err(PracticeError::Signals)?;
    let gateway = Gateway {
        config_path,
        found,
        configuration,
        port,
        lock: Some(lock),
        boots,
        seen: faults.subscribe(),
        faults,
        deaths,
        signals,
        held: None,
        options,
    };
    gateway.live().await
}

fn already_running(version: Version, pid: u32) -> String {
    match version {
        Version::V2026_9_6 => "Gateway failed to start: another OpenClaw process owns gateway-lifecycle | \
            gateway.maintenance_required: requires state migration. Stop the service with openclaw gateway stop (or its \
            service owner), then run openclaw doctor --fix, then start it again with openclaw gateway start."
            .to_owned(),
        Version::V2026_2_26 | Version::V2026_6_11 => {
            format!("Gateway failed to start: gateway already running (pid {pid}); lock timeout after 5000ms")
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let signed: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(signed).map_err(|_| "a duration cannot be negative".to_owned())
}
