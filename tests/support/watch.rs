//! `lifeguard watch`, the release build, on a gateway of its own: what is measured from outside.
#![allow(dead_code, reason = "each program uses the part that it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lifeguard::control::client::ControlClient;
use lifeguard::snapshot::{GatewaySnapshot, Snapshot};
use lifeguard::supervisor::event::Command as Order;
use lifeguard::supervisor::verdict::Verdict;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::gateway::{GatewayHome, START_LIMIT, wait_until};

/// The release build of the program, whichever build this one is of.
pub(crate) fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    // <target>/<profile>/examples/<this>
    let found = own.ancestors().nth(3).unwrap().join("release/lifeguard");
    assert!(found.is_file(), "{} is missing: use `make`, which builds it", found.display());
    found
}

/// The program, on the configuration of a home.
fn lifeguard(home: &GatewayHome) -> Command {
    let mut command = Command::new(program());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("LIFEGUARD_STATE_DIR", home.path().join("lifeguard"))
        .arg("--config")
        .arg(home.path().join("lifeguard.toml"));
    command
}

/// A `lifeguard watch`. Killed when it is dropped; what lives in its home ends with that.
pub(crate) struct Watch<'a> {
    home: &'a GatewayHome,
    child: Child,
    client: ControlClient,
    runtime: Runtime,
}

impl<'a> Watch<'a> {
    /// Watches the gateway of a home, which it owns.
    pub(crate) fn start(home: &'a GatewayHome, sections: &str) -> Self {
        let command: Vec<Value> = home.command.iter().map(|word| Value::from(word.as_str())).collect();
        let gateway = format!(
            "[[gateway]]\nservice = \"child\"\nport = {}\nstate_dir = {}\nconfig_path = {}\ncommand = {}\n{sections}",
            home.port,
            Value::from(home.state_dir().to_str()),
            Value::from(home.config_path().to_str()),
            Value::from(command)
        );
        Self::start_with(home, &gateway)
    }

    /// Watches what this configuration says; it tells nobody.
    pub(crate) fn start_with(home: &'a GatewayHome, text: &str) -> Self {
        fs::write(home.path().join("lifeguard.toml"), format!("{text}[alerts.native]\nenabled = false\n")).unwrap();
        let child = lifeguard(home).arg("watch").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = ControlClient::new(&home.path().join("lifeguard/run/control.sock")).unwrap();
        Self { home, child, client, runtime }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The program, asked about this Lifeguard.
    pub(crate) fn command(&self) -> Command {
        lifeguard(self.home)
    }

    /// Looks at its pictures as often as it can.
    pub(crate) fn wait_closely(&self, limit: Duration, holds: impl Fn(&GatewaySnapshot) -> bool) {
        let begin = Instant::now();
        while begin.elapsed() < limit {
            if self.snapshot().is_some_and(|snapshot| snapshot.gateways.iter().all(&holds)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("not within {limit:?}\n{}", self.log());
    }

    /// The newest picture, once it answers.
    pub(crate) fn snapshot(&self) -> Option<Snapshot> {
        self.runtime.block_on(self.client.snapshot()).ok()
    }

    /// Waits for a picture of its first gateway.
    pub(crate) fn wait(&self, limit: Duration, holds: impl Fn(&GatewaySnapshot) -> bool) -> GatewaySnapshot {
        let mut last = None;
        let found = wait_until(limit, || {
            last = self.snapshot().map(|mut snapshot| snapshot.gateways.remove(0));
            last.as_ref().is_some_and(&holds)
        });
        assert!(found, "not within {limit:?}: {last:#?}\n{}", self.log());
        last.unwrap()
    }

    /// Waits until another process than this one works; gives its number.
    pub(crate) fn wait_healthy(&self, not: Option<u32>) -> u32 {
        let wanted = |gateway: &GatewaySnapshot| {
            works(gateway) && gateway.heal.is_none() && gateway.pid.is_some() && gateway.pid != not
        };
        self.wait(START_LIMIT, wanted).pid.unwrap()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("lifeguard/logs/lifeguard.log")).unwrap_or_default()
    }

    /// When the newest line that contains all of this was written.
    pub(crate) fn logged(&self, parts: &[&str]) -> Timestamp {
        let log = self.log();
        let line = log.lines().rev().find(|line| parts.iter().all(|part| line.contains(part)));
        line.unwrap_or_else(|| panic!("no {parts:?} in {log}")).split_whitespace().next().unwrap().parse().unwrap()
    }

    /// As if no crash had happened for a long time.
    pub(crate) fn reset(&self) {
        self.runtime.block_on(self.client.command(None, Order::Reset)).unwrap();
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// After three kills the gateway may hold its channels back; it answers all the same.
pub(crate) fn works(gateway: &GatewaySnapshot) -> bool {
    matches!(gateway.verdict, Verdict::Healthy | Verdict::ChannelsSuppressed(_))
}
