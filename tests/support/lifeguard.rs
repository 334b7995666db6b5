//! The whole program for tests: the real binary with a configuration, a state folder and a Discord of its own.
#![allow(dead_code, reason = "each test file uses the part that it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use lifeguard::control::client::ControlClient;
use lifeguard::snapshot::{GatewaySnapshot, Snapshot};
use lifeguard::supervisor::verdict::Health;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::discord::{FakeDiscord, NUMBER, Seen, TOKEN};
use super::gateway::{GatewayHome, wait_until};

/// Limit for what takes a second or less on an idle machine.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// Everything quick, for gateways that start in a fraction of a second.
pub(crate) const QUICK: &str = r#"
[probe]
interval = "300ms"
retry_interval = "100ms"
connect_timeout = "1s"
timeout = "1s"

[heal]
hang_patience = "1s"
unready_patience = "1s"
healthy_hold = "1s"
startup_grace = "20s"
startup_limit = "30s"
drain_limit = "20s"
backoff_seconds = [1, 2, 3]
budget = 100
"#;

/// A configuration for one gateway, and the Discord that it names.
pub(crate) struct Watch<'a> {
    /// The gateway's home; Lifeguard lives in it too, so that it ends with it.
    pub(crate) home: &'a GatewayHome,
    runtime: Runtime,
    discord: FakeDiscord,
}

impl<'a> Watch<'a> {
    /// Watches the gateway of this home. `service` is `child`, `attached` or `launchd`, `sections` the rest of the file.
    pub(crate) fn new(home: &'a GatewayHome, service: &str, sections: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let discord = runtime.block_on(FakeDiscord::start());
        let watch = Self { home, runtime, discord };
        watch.reconfigure(service, sections);
        watch
    }

    /// Writes the configuration anew, with the same Discord; the next start takes it.
    pub(crate) fn reconfigure(&self, service: &str, sections: &str) {
        let address = self.discord.address();
        self.configure(service, sections, &format!("http://{address}/api/webhooks/{NUMBER}/{TOKEN}"));
    }

    /// Writes the configuration anew; the next start takes it.
    pub(crate) fn configure(&self, service: &str, sections: &str, webhook: &str) {
        let command: Vec<Value> = self.home.command.iter().map(|word| Value::from(word.as_str())).collect();
        let text = format!(
            r#"language = "en"
web = {{ port = 0 }}

[[gateway]]
service = "{service}"
port = {port}
state_dir = {state_dir}
config_path = {config_path}
command = {command}

[alerts]
cooldown = "0s"
critical_cooldown = "0s"
storm_after = 1000
self_check = false
native = {{ enabled = false }}
discord = {{ webhook = "{webhook}" }}
{sections}"#,
            port = self.home.port,
            state_dir = Value::from(self.home.state_dir().to_string_lossy()),
            config_path = Value::from(self.home.config_path().to_string_lossy()),
            command = Value::from(command),
        );
        fs::write(self.config_path(), text).unwrap();
    }

    /// The configuration file.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.home.path().join("lifeguard.toml")
    }

    /// `LIFEGUARD_STATE_DIR`.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.home.path().join("lifeguard")
    }

    /// The core's state on disk.
    pub(crate) fn state_file(&self) -> PathBuf {
        self.state_dir().join("history.sqlite3")
    }

    /// Lifeguard's own log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.state_dir().join("logs/lifeguard.log")).unwrap_or_default()
    }

    /// The output of the gateway that Lifeguard started.
    pub(crate) fn gateway_log(&self) -> String {
        fs::read_to_string(self.state_dir().join("logs/gateway-gateway.log")).unwrap_or_default()
    }

    /// How many heals this and earlier Lifeguards began.
    pub(crate) fn heals(&self) -> usize {
        self.log().matches("heal begins").count()
    }

    /// The program with these words, in this environment.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeguard"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("LIFEGUARD_STATE_DIR", self.state_dir())
            .env("LIFEGUARD_TEST_LAUNCHCTL", self.home.path().join("launchd/launchctl"))
            .env("TZ", "UTC")
            .arg("--config")
            .arg(self.config_path())
            .args(words)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// `lifeguard status --json`, whether a Lifeguard runs or not.
    pub(crate) fn status(&self) -> Value {
        let output = self.run(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
    }

    /// Starts `lifeguard watch` and waits until it answers.
    pub(crate) fn start(&self) -> Lifeguard<'_> {
        let lifeguard = self.spawn();
        assert!(wait_until(SOON, || lifeguard.try_look().is_some()), "Lifeguard does not answer:\n{}", self.log());
        lifeguard
    }

    /// Starts `lifeguard watch`, and no more.
    pub(crate) fn spawn(&self) -> Lifeguard<'_> {
        let output = || -> Stdio { self.open_output().into() };
        let child = self.command(&["watch"]).stdout(output()).stderr(output()).spawn().unwrap();
        Lifeguard { watch: self, child }
    }

    fn open_output(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.home.path().join("watch.txt")).unwrap()
    }

    /// What `lifeguard watch` printed so far.
    pub(crate) fn printed(&self) -> String {
        fs::read_to_string(self.home.path().join("watch.txt")).unwrap_or_default()
    }

    /// What Discord has seen.
    pub(crate) fn seen(&self) -> Seen {
        self.discord.seen()
    }

    /// The Discord.
    pub(crate) fn discord(&self) -> &FakeDiscord {
        &self.discord
    }

    /// The headlines of Discord's messages so far, in order.
    pub(crate) fn headlines(&self) -> Vec<String> {
        self.seen().messages.iter().map(|message| message["embeds"][0]["title"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until Discord's headlines, without what `Recovered in` says further, are these.
    pub(crate) fn wait_told(&self, limit: Duration, expected: &[&str]) {
        let told = || -> Vec<String> {
            let shorten = |title: String| if title.starts_with(RECOVERED) { RECOVERED.to_owned() } else { title };
            self.headlines().into_iter().map(shorten).collect()
        };
        wait_until(limit, || told().len() >= expected.len());
        assert_eq!(told(), expected, "Lifeguard's log:\n{}", self.log());
        assert_eq!(self.seen().violations, Vec::<String>::new());
    }
}

/// Headlines.
pub(crate) const DOWN: &str = "OpenClaw gateway is down";
pub(crate) const RECOVERED: &str = "Recovered in";
pub(crate) const NEEDS_YOU: &str = "OpenClaw gateway needs you";
pub(crate) const SAFE_MODE: &str = "OpenClaw gateway keeps failing: safe mode";

/// A running `lifeguard watch`. Killed when it is dropped; its gateway ends with its home.
pub(crate) struct Lifeguard<'a> {
    watch: &'a Watch<'a>,
    child: Child,
}

impl Lifeguard<'_> {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its picture of the world, over the control socket.
    pub(crate) fn look(&self) -> Snapshot {
        self.try_look().unwrap_or_else(|| panic!("Lifeguard does not answer:\n{}", self.watch.log()))
    }

    fn try_look(&self) -> Option<Snapshot> {
        let client = ControlClient::new(&self.watch.state_dir().join("run/control.sock")).unwrap();
        self.watch.runtime.block_on(client.snapshot()).ok()
    }

    /// The gateway, as it shows it.
    pub(crate) fn gateway(&self) -> GatewaySnapshot {
        self.look().gateways.remove(0)
    }

    /// Waits until it shows a gateway that is so.
    pub(crate) fn wait(
        &self,
        limit: Duration,
        what: &str,
        mut holds: impl FnMut(&GatewaySnapshot) -> bool,
    ) -> GatewaySnapshot {
        let mut last = None;
        let found = wait_until(limit, || {
            last = self.try_look().map(|mut snapshot| snapshot.gateways.remove(0));
            last.as_ref().is_some_and(&mut holds)
        });
        let Some(last) = last.filter(|_| found) else {
            panic!(
                "{what} did not come within {limit:?}; it shows {:#?}\nits log:\n{}\nthe gateway's:\n{}",
                self.gateway(),
                self.watch.log(),
                self.watch.gateway_log()
            )
        };
        last
    }

    /// Waits until it shows this health.
    pub(crate) fn wait_health(&self, limit: Duration, health: Health) -> GatewaySnapshot {
        self.wait(limit, health.name(), |gateway| gateway.health == health)
    }

    /// Waits until the gateway is healthy and has this many incidents behind it.
    pub(crate) fn wait_healthy(&self, limit: Duration) -> GatewaySnapshot {
        self.wait_health(limit, Health::Healthy)
    }

    /// Waits until every alert so far has been delivered, and its receipt is stored: a Lifeguard that dies before that
    /// tells it once more.
    pub(crate) fn wait_receipts(&self) {
        let receipted = || self.try_look().is_some_and(|snapshot| snapshot.channels.iter().all(|it| it.waiting == 0));
        assert!(wait_until(SOON, receipted), "alerts wait:\n{}", self.watch.log());
    }

    /// Sends a signal. The child is not waited for yet, so its number cannot be another process's.
    pub(crate) fn signal(&mut self, signal: Signal) {
        assert_eq!(self.child.try_wait().unwrap(), None, "Lifeguard has ended before it could be signalled");
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn wait_ended(&mut self, limit: Duration) -> ExitStatus {
        let mut status = None;
        wait_until(limit, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap_or_else(|| panic!("Lifeguard did not end within {limit:?}:\n{}", self.watch.log()))
    }

    /// SIGKILL, as a crash would be.
    pub(crate) fn crash(mut self) {
        self.signal(Signal::KILL);
        self.wait_ended(SOON);
    }
}

impl Drop for Lifeguard<'_> {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _gone_already = self.child.kill();
            let _reaped = self.child.wait();
        }
    }
}

/// Sends a signal to a gateway that Lifeguard started, once it is sure that this pid is one.
pub(crate) fn signal_gateway(pid: u32, signal: Signal) {
    let own = lifeguard::platform::process::own_uid();
    assert!(lifeguard::service::identity::confirm(pid, own).is_some(), "process {pid} is no gateway");
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}
