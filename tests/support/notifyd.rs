//! A session bus of one's own, and on it either a notification daemon that records or the real xfce4-notifyd under
//! Xvfb. Everything ends with the test.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a helper of tests fails the test")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use zbus::{Connection, OwnedVariant};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// A child process that is killed and waited for at the end.
#[derive(Debug)]
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A private session bus.
#[derive(Debug)]
pub(crate) struct Bus {
    pub(crate) address: String,
    _daemon: Owned,
    _folder: tempfile::TempDir,
}

impl Bus {
    /// Starts a bus that starts no services by itself.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("bus.conf");
        std::fs::write(
            &config,
            format!(
                r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#,
                folder.path().display()
            ),
        )
        .unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon (Debian package dbus) is installed");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { address: address.trim().to_owned(), _daemon: Owned(daemon), _folder: folder }
    }

    pub(crate) async fn connect(&self) -> Connection {
        zbus::connection::Builder::address(self.address.as_str()).build().await.unwrap()
    }
}

/// One call of `Notify`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) id: u32,
    pub(crate) replaces: u32,
    pub(crate) app: String,
    pub(crate) icon: String,
    pub(crate) summary: String,
    pub(crate) body: String,
    /// Name and label in turn.
    pub(crate) actions: Vec<String>,
    pub(crate) urgency: Option<u8>,
    pub(crate) timeout: i32,
}

/// A daemon that shows nothing and records everything.
pub(crate) struct Recorder {
    connection: Connection,
    shown: watch::Sender<Vec<Shown>>,
}

struct Service {
    shown: watch::Sender<Vec<Shown>>,
    ids: AtomicU32,
    capabilities: Vec<String>,
    /// Presses this button in the very moment of showing, before the caller has the answer.
    press_at_once: Option<String>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    fn get_capabilities(&self) -> Vec<String> {
        self.capabilities.clone()
    }

    #[expect(clippy::too_many_arguments, reason = "the specification's method")]
    async fn notify(
        &self,
        app_name: String,
        replaces: u32,
        app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedVariant>,
        timeout: i32,
        #[zbus(connection)] connection: &Connection,
    ) -> u32 {
        let id = if replaces == 0 { self.ids.fetch_add(1, Ordering::Relaxed) } else { replaces };
        let urgency = hints.get("urgency").and_then(|value| u8::try_from(value).ok());
        if let Some(button) = self.press_at_once.as_ref().filter(|button| actions.contains(button)) {
            let press = (id, button.as_str());
            connection.emit_signal(None::<&str>, PATH, NAME, "ActionInvoked", &press).await.unwrap();
        }
        let shown = Shown { id, replaces, app: app_name, icon: app_icon, summary, body, actions, urgency, timeout };
        self.shown.send_modify(|all| all.push(shown));
        id
    }
}

impl Recorder {
    pub(crate) async fn start(bus: &Bus, capabilities: &[&str], press_at_once: Option<&str>) -> Self {
        let shown = watch::channel(Vec::new()).0;
        let service = Service {
            shown: shown.clone(),
            ids: AtomicU32::new(1),
            capabilities: capabilities.iter().map(|&name| name.to_owned()).collect(),
            press_at_once: press_at_once.map(str::to_owned),
        };
        let builder = zbus::connection::Builder::address(bus.address.as_str());
        let connection = builder.serve_at(PATH, service).name(NAME).build().await.unwrap();
        Self { connection, shown }
    }

    /// Waits until so many notifications were shown, and gives them all.
    pub(crate) async fn shown(&self, count: usize) -> Vec<Shown> {
        let mut shown = self.shown.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(30), shown.wait_for(|all| all.len() >= count)).await;
        waited.unwrap_or_else(|_| panic!("only {:?}", self.shown.borrow())).unwrap().clone()
    }

    /// Presses a button.
    pub(crate) async fn press(&self, id: u32, button: &str) {
        self.connection.emit_signal(None::<&str>, PATH, NAME, "ActionInvoked", &(id, button)).await.unwrap();
    }
}

/// A screen without a monitor, and the real xfce4-notifyd on it.
#[derive(Debug)]
pub(crate) struct Desktop {
    pub(crate) bus: Bus,
    display: String,
    _daemon: Owned,
    _server: Owned,
    _home: tempfile::TempDir,
}

impl Desktop {
    pub(crate) async fn start() -> Self {
        let bus = Bus::start();
        let home = tempfile::tempdir().unwrap();
        // The server chooses a free display and says which.
        let (server, display) = {
            let mut server = Command::new("Xvfb")
                .args(["-displayfd", "1", "-screen", "0", "900x500x24", "-nolisten", "tcp"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("Xvfb (Debian package xvfb) is installed");
            let mut number = String::new();
            BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
            (Owned(server), format!(":{}", number.trim()))
        };
        let daemon = Command::new(notifyd())
            .env("DISPLAY", &display)
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .env("HOME", home.path())
            .env("XDG_CONFIG_HOME", home.path())
            .env("XDG_CACHE_HOME", home.path())
            .env("XDG_DATA_HOME", home.path())
            .env("GTK_A11Y", "none")
            .env("NO_AT_BRIDGE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("xfce4-notifyd (Debian package xfce4-notifyd) is installed");
        let desktop = Self { bus, display, _daemon: Owned(daemon), _server: server, _home: home };
        let connection = desktop.bus.connect().await;
        let names = zbus::fdo::DBusProxy::new(&connection).await.unwrap();
        until("xfce4-notifyd owns its name", async || names.name_has_owner(NAME.try_into().unwrap()).await.unwrap())
            .await;
        desktop
    }

    /// Runs xdotool on this display; gives its output, or nothing if it failed (no such window).
    pub(crate) async fn xdotool(&self, arguments: &[&str]) -> Option<String> {
        let mut command = tokio::process::Command::new("xdotool");
        command.args(arguments).env("DISPLAY", &self.display).stderr(Stdio::null());
        let output = tokio::time::timeout(Duration::from_secs(20), command.output()).await.unwrap().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Takes a picture of the whole screen.
    pub(crate) async fn screenshot(&self, name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(name);
        let mut command = tokio::process::Command::new("import");
        command.args(["-window", "root"]).arg(&file).env("DISPLAY", &self.display);
        let status = tokio::time::timeout(Duration::from_secs(20), command.status()).await.unwrap().unwrap();
        assert!(status.success(), "import (Debian package imagemagick) takes a picture");
        file
    }
}

/// The daemon is no command: Debian keeps it in the folder of the machine's architecture.
fn notifyd() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut files = folders.map(|folder| folder.join("xfce4/notifyd/xfce4-notifyd"));
    files.find(|file| file.is_file()).expect("xfce4-notifyd (Debian package xfce4-notifyd) is installed")
}

/// Waits until something holds; fails the test after half a minute.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{what}: did not happen"));
}
