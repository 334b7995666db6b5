//! All that a service must know of its gateway. The engine fills it in from the configuration.

use std::path::PathBuf;
use std::time::Duration;

use crate::platform::process::own_uid;
use crate::supervisor::observation::Identity;
use crate::supervisor::policy::Policy;

/// The kinds of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Lifeguard owns the process.
    Child,
    /// Somebody starts it by hand.
    Attached,
    /// A systemd user unit.
    Systemd,
    /// A launchd agent.
    Launchd,
    /// There is no gateway here.
    NotInstalled,
}

impl Kind {
    /// The kind's name in `status`, logs and the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Attached => "attached",
            Self::Systemd => "systemd",
            Self::Launchd => "launchd",
            Self::NotInstalled => "not_installed",
        }
    }
}

/// All that a service must know of its gateway.
#[derive(Debug, Clone)]
pub struct GatewaySetup {
    /// Its name, for logs.
    pub name: String,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// OpenClaw's state folder.
    pub state_dir: PathBuf,
    /// launchd label or systemd unit; `None` means OpenClaw's own default name.
    pub label: Option<String>,
    /// The command that runs the gateway in the foreground, as an argument list.
    pub command: Option<Vec<String>>,
    /// The `openclaw` command without arguments, for its own commands; `None` if it was not found.
    pub openclaw: Option<Vec<String>>,
    /// OpenClaw's configuration file.
    pub config_path: PathBuf,
    /// Added to Lifeguard's own environment when the gateway is started.
    pub environment: Vec<(String, String)>,
    /// Working folder of a gateway that Lifeguard starts; `None` means the home folder.
    pub working_dir: Option<PathBuf>,
    /// File that takes the output of a gateway that Lifeguard starts; created with mode 0600.
    pub log_path: PathBuf,
    /// The kind of service, if the configuration fixes it.
    pub kind: Option<Kind>,
    /// The process that an earlier run of Lifeguard started, if it was on this boot of the machine.
    pub started_before: Option<Identity>,
    /// For a gateway that somebody starts by hand: start it when it is dead.
    pub start_when_dead: bool,
    /// Longest orderly shutdown.
    pub drain_limit: Duration,
    /// The user whose processes may be touched.
    pub uid: u32,
    /// The user's home folder.
    pub home: PathBuf,
    /// Path of `launchctl`.
    pub launchctl: PathBuf,
    /// Path of `fdesetup`, which knows whether macOS's disk is locked until somebody logs in.
    pub fdesetup: PathBuf,
    /// macOS's file about its login window.
    pub login_window: PathBuf,
    /// Path of `systemctl`.
    pub systemctl: PathBuf,
    /// Path of `loginctl`.
    pub loginctl: PathBuf,
}

impl GatewaySetup {
    /// A setup with every default; `log_path` takes the output of a gateway that Lifeguard starts.
    #[must_use]
    pub fn new(name: &str, port: u16, state_dir: PathBuf, log_path: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            port,
            label: None,
            command: None,
            openclaw: None,
            config_path: state_dir.join("openclaw.json"),
            state_dir,
            environment: Vec::new(),
            working_dir: None,
            log_path,
            kind: None,
            started_before: None,
            start_when_dead: false,
            drain_limit: Policy::default().drain_limit,
            uid: own_uid(),
            home: std::env::home_dir().unwrap_or_else(|| PathBuf::from("/")),
            launchctl: PathBuf::from("/bin/launchctl"),
            fdesetup: PathBuf::from("/usr/bin/fdesetup"),
            login_window: PathBuf::from("/Library/Preferences/com.apple.loginwindow.plist"),
            systemctl: PathBuf::from("systemctl"),
            loginctl: PathBuf::from("loginctl"),
        }
    }
}
