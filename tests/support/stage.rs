//! The whole app on a desktop of its own: configuration, fake Discord, and the program itself.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test helper fails the test")]

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use lifeguard::snapshot::{GatewaySnapshot, Snapshot};
use rustix::process::{Pid, Signal, kill_process};

use super::desktop::{Desktop, PATIENCE};
use super::discord::{FakeDiscord, NUMBER, TOKEN};
use super::gateway::GatewayHome;

/// Everything that one Lifeguard needs.
pub(crate) struct Stage {
    /// The program.
    pub(crate) program: PathBuf,
    pub(crate) desktop: Desktop,
    pub(crate) discord: FakeDiscord,
    /// Dropped last: it ends the gateway.
    pub(crate) gateway: GatewayHome,
}

impl Stage {
    /// Writes the configuration; `more` is added to it.
    pub(crate) async fn set(program: impl Into<PathBuf>, desktop: Desktop, gateway: GatewayHome, more: &str) -> Self {
        let discord = FakeDiscord::start().await;
        let stage = Self { program: program.into(), desktop, discord, gateway };
        let webhook = stage.home().join("webhook");
        fs::write(&webhook, format!("http://{}/api/webhooks/{NUMBER}/{TOKEN}\n", stage.discord.address())).unwrap();
        fs::set_permissions(&webhook, fs::Permissions::from_mode(0o600)).unwrap();
        let config = format!(
            "web = {{ port = 0 }}\n\n[[gateway]]\nservice = \"child\"\nport = {}\nstate_dir = {:?}\nconfig_path = {:?}\ncommand = {:?}\n\n\
             [alerts.discord]\nwebhook = \"file:{}\"\n\n{more}\n",
            stage.gateway.port,
            stage.gateway.state_dir().display().to_string(),
            stage.gateway.config_path().display().to_string(),
            stage.gateway.command,
            webhook.display(),
        );
        fs::write(stage.config(), config).unwrap();
        stage.replace_opener();
        stage
    }

    /// An `xdg-open` that only writes down what it was asked to open.
    fn replace_opener(&self) {
        let folder = self.home().join("bin");
        fs::create_dir(&folder).unwrap();
        let opener = folder.join("xdg-open");
        fs::write(&opener, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >> '{}'\n", self.opened().display())).unwrap();
        fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn home(&self) -> &Path {
        self.desktop.home()
    }

    /// Where the opener writes down what it was asked to open, one argument a line.
    pub(crate) fn opened(&self) -> PathBuf {
        self.home().join("opened")
    }

    /// Lifeguard's own log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home().join("state/logs/lifeguard.log")).unwrap_or_default()
    }

    fn config(&self) -> PathBuf {
        self.home().join("lifeguard.toml")
    }

    /// Lifeguard with these arguments, in this stage's places.
    pub(crate) fn lifeguard(&self, arguments: &[&str]) -> Command {
        let mut command = self.desktop.command(&self.program);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.home().join("bin").display()));
        command.env("LIFEGUARD_STATE_DIR", self.home().join("state"));
        command.arg("--config").arg(self.config()).args(arguments).stdin(Stdio::null());
        command
    }

    /// Starts the app.
    pub(crate) fn start(&self) -> App {
        self.start_with(|_| {})
    }

    /// Starts the app in a changed environment.
    pub(crate) fn start_with(&self, change: impl FnOnce(&mut Command)) -> App {
        let output = self.home().join("output");
        let file = File::create(&output).unwrap();
        let mut command = self.lifeguard(&[]);
        command.stdout(file.try_clone().unwrap()).stderr(file);
        change(&mut command);
        App { process: command.spawn().unwrap(), output }
    }

    /// The state of the gateway, as `lifeguard status --json` says it.
    pub(crate) fn status(&self) -> GatewaySnapshot {
        let output = self.lifeguard(&["status", "--json"]).output().unwrap();
        let mut snapshot: Snapshot = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}\n{}", self.log()));
        snapshot.gateways.remove(0)
    }

    /// Waits until the gateway's state is as wished.
    pub(crate) async fn wait_for_status(
        &self,
        what: &str,
        limit: Duration,
        wished: impl Fn(&GatewaySnapshot) -> bool,
    ) -> GatewaySnapshot {
        let began = Instant::now();
        loop {
            let status = self.status();
            if wished(&status) {
                return status;
            }
            assert!(began.elapsed() < limit, "waited in vain for {what}: {status:#?}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until the app's own words hold this.
    pub(crate) async fn wait_for_words(&self, app: &App, words: &str) {
        let began = Instant::now();
        while !app.said().contains(words) {
            assert!(began.elapsed() < PATIENCE, "it did not say {words:?} but {:?}\n{}", app.said(), self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The running app. Killed when it is dropped.
pub(crate) struct App {
    process: Child,
    output: PathBuf,
}

impl App {
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it wrote to the terminal.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end: {}", self.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Kills a process that the stage's gateway is known to be.
pub(crate) fn kill(pid: u32) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL).unwrap();
}

/// Walks along the place where a notification has its first button, and clicks, until `answered`.
pub(crate) async fn click_first_button(desktop: &Desktop, mut answered: impl FnMut() -> bool) {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let Some(window) = desktop.notification_window() else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        for up in [22, 28, 34, 16] {
            for part in [4, 3, 2] {
                let scale = desktop.scale();
                desktop.click_at(window.left + window.width / part, window.top + window.height - up * scale);
                for _ in 0..20 {
                    if answered() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
    panic!("no button answered");
}
