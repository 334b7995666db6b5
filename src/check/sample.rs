//! A place to look at, for the tests of this room: folders, tools that say what they are told to, and a gateway.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Ground, Running, Tools, Watched};
use crate::config::environment::Environment;
use crate::config::paths::Paths;
use crate::config::{Config, GatewayConfig, discovery};
use crate::platform::desktop::login_item::LoginItem;
use crate::probe::dependency::Needs;
use crate::service::{GatewaySetup, Kind};
use crate::snapshot::{BreakerSnapshot, GatewaySnapshot, Snapshot};
use crate::supervisor::verdict::{Health, Verdict};
use crate::text::Language;

/// The place.
pub(super) struct Stage {
    folder: tempfile::TempDir,
    config: Config,
    pub(super) environment: Environment,
    pub(super) paths: Paths,
}

impl Stage {
    /// A place that is the person's alone.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().display().to_string();
        let state = folder.path().join("state").display().to_string();
        let environment = Environment::default().with([
            ("HOME", home.as_str()),
            ("PATH", home.as_str()),
            ("LIFEGUARD_STATE_DIR", state.as_str()),
            ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus"),
        ]);
        let mut paths = Paths::of(&environment, None).unwrap();
        paths.config_file = folder.path().join("config.toml");
        paths.prepare().unwrap();
        let new = Self { folder, config: Config::default(), environment, paths };
        new.script("crontab", "echo 'no crontab for kim' >&2; exit 1");
        new.script("timedatectl", "echo yes");
        new
    }

    /// A place whose outermost folder others may enter.
    pub(super) fn open() -> Self {
        let stage = Self::new();
        std::fs::set_permissions(stage.home(), Permissions::from_mode(0o755)).unwrap();
        stage
    }

    pub(super) fn home(&self) -> &Path {
        self.folder.path()
    }

    /// A program of this name in the home folder.
    pub(super) fn script(&self, name: &str, body: &str) -> PathBuf {
        let path = self.home().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        path
    }

    pub(super) fn ground(&self) -> Ground<'_> {
        Ground {
            config: Ok(&self.config),
            paths: &self.paths,
            environment: &self.environment,
            language: Language::English,
            running: Running::No,
            login_item: LoginItem::On,
            gateways: vec![watched(self.home())],
            online: false,
            tools: Tools { crontab: self.home().join("crontab"), timedatectl: self.home().join("timedatectl") },
        }
    }

    /// A Lifeguard of this version that runs.
    pub(super) fn answers() -> Running {
        Running::Answers(Box::new(Snapshot {
            taken: 0,
            taken_elapsed: 0,
            stale_after: 1000,
            lifeguard_version: env!("CARGO_PKG_VERSION").to_owned(),
            gateways: Vec::new(),
            channels: Vec::new(),
            day: None,
            page: None,
            notices: Vec::new(),
        }))
    }
}

/// A gateway that Lifeguard would run, below this home.
pub(super) fn watched(home: &Path) -> Watched {
    let config = GatewayConfig { state_dir: Some(home.to_owned()), port: Some(1), ..GatewayConfig::default() };
    let environment = Environment::default().with([("HOME", home.to_str().unwrap()), ("PATH", "")]);
    let mut found = discovery::discover(&config, &environment);
    found.log = None;
    let mut setup = GatewaySetup::new("gateway", 1, home.to_owned(), home.join("gateway.log"));
    home.clone_into(&mut setup.home);
    Watched { setup, kind: Kind::Child, needs: Needs::default(), own_command: false, found, seen: None }
}

/// A gateway as a picture shows it.
pub(super) fn seen(version: Option<&str>, pid: Option<u32>, latency: Option<u64>) -> GatewaySnapshot {
    GatewaySnapshot {
        name: "gateway".to_owned(),
        address: "127.0.0.1:1".to_owned(),
        practice: false,
        service: "child".to_owned(),
        health: Health::Healthy,
        verdict: Verdict::Healthy,
        since: 0,
        checked: None,
        pid,
        version: version.map(str::to_owned),
        uptime: None,
        latency,
        memory: None,
        leak: None,
        in_flight: None,
        crashes: 0,
        crash_limit: 6,
        crashes_clear: None,
        breaker: BreakerSnapshot::Closed,
        next_attempt: None,
        heal: None,
        incident: None,
        last_incident: None,
        pause: None,
        needs: Vec::new(),
        log: None,
        evidence: None,
        config_change: None,
        notice: None,
    }
}
