//! Secrets in the keychain, with the real GNOME Keyring on a session bus of the test's own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::discord::{FakeDiscord, NUMBER, TOKEN};
use support::notifyd::Bus;
use tokio::runtime::Runtime;

mod support {
    pub(crate) mod discord;
    pub(crate) mod notifyd;
}

/// Limit for what takes a second or less on an idle machine.
const SOON: Duration = Duration::from_mins(1);
/// The keyring's own password.
const PASSWORD: &str = "open sesame";

/// Killed when it is dropped.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// A person's home with a session bus, and perhaps a keychain on it.
struct Home {
    folder: tempfile::TempDir,
    bus: Bus,
    runtime: Runtime,
}

impl Home {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { folder: tempfile::Builder::new().prefix("lg-").tempdir().unwrap(), bus: Bus::start(), runtime }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program in this home.
    fn program(&self, name: &str, words: &[&str]) -> Command {
        let run = self.path("run");
        fs::create_dir_all(&run).unwrap();
        let mut command = Command::new(name);
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("XDG_RUNTIME_DIR", run)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus.address)
            .env("LIFEGUARD_STATE_DIR", self.path("state"))
            .env("LIFEGUARD_CONFIG", self.path("config.toml"))
            .env("OPENCLAW_GATEWAY_PORT", "1")
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn lifeguard(&self, words: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_lifeguard"), &["--language", "en"]);
        command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.lifeguard(words).output().unwrap()
    }

    /// `secrets set`, with the secret on standard input.
    fn set(&self, name: &str, secret: &str) -> Output {
        feed(&mut self.lifeguard(&["secrets", "set", name]), secret)
    }

    /// Starts GNOME Keyring with an open login keyring and waits until it is on the bus.
    fn keyring(&self) -> Owned {
        let mut command = self.program("gnome-keyring-daemon", &["--foreground", "--unlock", "--components=secrets"]);
        let mut daemon =
            command.stdin(Stdio::piped()).spawn().expect("gnome-keyring-daemon (Debian package gnome-keyring)");
        daemon.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(wait_until(|| self.owner()), "GNOME Keyring did not come");
        Owned(daemon)
    }

    /// Whether anybody offers the Secret Service.
    fn owner(&self) -> bool {
        self.runtime.block_on(async {
            let connection = self.bus.connect().await;
            let bus = zbus::fdo::DBusProxy::new(&connection).await.unwrap();
            bus.name_has_owner("org.freedesktop.secrets".try_into().unwrap()).await.unwrap()
        })
    }

    /// Locks every collection.
    fn lock(&self) {
        self.runtime.block_on(async {
            let connection = self.bus.connect().await;
            let collection = zbus::ObjectPath::try_from("/org/freedesktop/secrets/collection/login").unwrap();
            let name = Some("org.freedesktop.secrets");
            let service = Some("org.freedesktop.Secret.Service");
            connection
                .call_method(name, "/org/freedesktop/secrets", service, "Lock", &(vec![collection],))
                .await
                .unwrap();
        });
    }

    /// A configuration that takes Discord's webhook from the keychain.
    fn configure(&self) {
        let text = "language = \"en\"\n[alerts]\nnative = { enabled = false }\n[alerts.discord]\nwebhook = \"keychain:discord\"\n";
        fs::write(self.path("config.toml"), text).unwrap();
    }

    /// Starts `lifeguard watch` and waits until it answers.
    fn watch(&self) -> Owned {
        let watch = Owned(self.lifeguard(&["watch"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        assert!(wait_until(|| self.status()["lifeguard_running"] == true), "Lifeguard does not answer");
        watch
    }

    fn status(&self) -> Value {
        let output = self.run(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
    }

    /// Waits until the channel's problem holds these words.
    fn wait_problem(&self, words: &str) {
        let problem = || self.status()["channels"][0]["problem"].as_str().unwrap_or_default().to_owned();
        assert!(wait_until(|| problem().contains(words)), "{}", self.status());
    }
}

fn feed(command: &mut Command, text: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that does not read at all ends by itself.
    let _written = child.stdin.take().unwrap().write_all(text.as_bytes());
    child.wait_with_output().unwrap()
}

fn wait_until(mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + SOON;
    while Instant::now() < end {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_secret_is_kept_listed_used_and_removed_and_never_shown() {
    let home = Home::new();
    let discord = home.runtime.block_on(FakeDiscord::start());
    let _keyring = home.keyring();
    let none = home.run(&["secrets", "list"]);
    assert_eq!(said(&none), "The keychain keeps no secret of Lifeguard's.\n");
    let webhook = format!("http://{}/api/webhooks/{NUMBER}/{TOKEN}", discord.address());
    let kept = home.set("discord", &format!("{webhook}\n"));
    assert_eq!(said(&kept), "Kept in the keychain. In the configuration: \"keychain:discord\"\n");
    assert!(home.set("spare", "x").status.success());
    assert!(home.set("spare", "y").status.success(), "in place of the first");
    assert_eq!(said(&home.run(&["secrets", "list"])), "discord\nspare\n");

    home.configure();
    let _watch = home.watch();
    let tested = home.run(&["alerts", "test"]);
    assert_eq!((tested.status.code(), said(&tested).as_str()), (Some(0), "discord: delivered\n"));
    assert_eq!(discord.seen().messages.len(), 1);

    assert_eq!(said(&home.run(&["secrets", "remove", "spare"])), "\"spare\" is removed from the keychain.\n");
    let gone = home.run(&["secrets", "remove", "spare"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(said(&gone).contains("the keychain has no secret \"spare\""), "{gone:?}");
    let log = fs::read_to_string(home.path("state/logs/lifeguard.log")).unwrap();
    for text in [said(&kept), said(&tested), log, home.status().to_string()] {
        assert!(!text.contains(TOKEN), "{text}");
    }
}

#[test]
fn a_locked_keychain_delays_nothing_but_its_channel() {
    let home = Home::new();
    let discord = home.runtime.block_on(FakeDiscord::start());
    let keyring = home.keyring();
    home.set("discord", &format!("http://{}/api/webhooks/{NUMBER}/{TOKEN}", discord.address()));
    home.lock();
    home.configure();
    let _watch = home.watch();
    home.wait_problem("the keychain is locked");
    assert!(said(&home.run(&["alerts", "test"])).contains("locked"));
    // Begun anew with the password, it is open again.
    drop(keyring);
    assert!(wait_until(|| !home.owner()));
    let _keyring = home.keyring();
    let tested = home.run(&["alerts", "test"]);
    assert_eq!(said(&tested), "discord: delivered\n");
    assert_eq!(home.status()["channels"][0]["problem"], Value::Null);
}

#[test]
fn a_keychain_that_hangs_is_given_up_in_time() {
    let home = Home::new();
    // It owns the name and answers nothing.
    let silent = home.runtime.block_on(home.bus.connect());
    home.runtime.block_on(silent.request_name("org.freedesktop.secrets")).unwrap();
    home.configure();
    let _watch = home.watch();
    home.wait_problem("the keychain did not answer within 5 s");
}

#[test]
fn without_a_keychain_the_way_out_is_named() {
    let home = Home::new();
    let refused = home.set("discord", TOKEN);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("there is no keychain here"), "{refused:?}");
    assert!(said(&refused).contains("\"file:PATH\"") && !said(&refused).contains(TOKEN), "{refused:?}");
    home.configure();
    let _watch = home.watch();
    home.wait_problem("there is no keychain here");
    let bad = home.set("a/b", TOKEN);
    assert_eq!(bad.status.code(), Some(2));
    assert_eq!(home.set("empty", " \n").status.code(), Some(2));
}

#[test]
fn on_a_terminal_the_answer_is_not_shown() {
    let home = Home::new();
    let _keyring = home.keyring();
    let program = format!("{} --language en secrets set typed", env!("CARGO_BIN_EXE_lifeguard"));
    // A terminal of its own for the program.
    let mut typing = home.program("script", &["--quiet", "--return", "--command", &program, "/dev/null"]);
    let mut typing = typing.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut keys = typing.stdin.take().unwrap();
    let mut screen = std::io::BufReader::new(typing.stdout.take().unwrap());
    let mut shown = Vec::new();
    while !shown.ends_with(b"shown): ") {
        let mut byte = [0];
        std::io::Read::read_exact(&mut screen, &mut byte).unwrap();
        shown.push(byte[0]);
    }
    keys.write_all(format!("{TOKEN}\n").as_bytes()).unwrap();
    std::io::Read::read_to_end(&mut screen, &mut shown).unwrap();
    assert!(typing.wait().unwrap().success());
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("Kept in the keychain") && !shown.contains(TOKEN), "{shown}");
    assert_eq!(said(&home.run(&["secrets", "list"])), "typed\n");
}
