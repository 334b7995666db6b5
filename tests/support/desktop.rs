//! A desktop of its own for one test: X server, session bus, panel, and on request a notification daemon. All of it
//! lives in a temporary home and ends with the value.
//!
//! [`TrayItem`] reads and clicks the icon and its menu over D-Bus, as a panel does.

#![allow(dead_code, reason = "each test uses its own part")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test helper fails the test")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use zbus::{Connection, OwnedVariant, Proxy, Variant};

/// Limit for anything on the desktop to come about. Generous: the machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Panel with a clock in its middle and one systray at its right end, where the pointer finds the icon.
const PANEL: &str = r#"<?xml version="1.1" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="true"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="icon-size" type="uint" value="22"/>
      <property name="size" type="uint" value="30"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="3"/>
        <value type="int" value="4"/>
        <value type="int" value="2"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-3" type="string" value="clock">
      <property name="mode" type="uint" value="2"/>
      <property name="digital-layout" type="uint" value="3"/>
      <property name="digital-time-format" type="string" value="%H:%M:%S"/>
      <property name="digital-time-font" type="string" value="Noto Sans CJK KR Medium 10"/>
    </property>
    <property name="plugin-4" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray">
      <property name="icon-size" type="uint" value="22"/>
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
"#;

/// Notifications that are opaque at once, so that a picture shows them whole.
const NOTIFICATIONS: &str = r#"<?xml version="1.1" encoding="UTF-8"?>
<channel name="xfce4-notifyd" version="1.0">
  <property name="initial-opacity" type="double" value="1"/>
  <property name="do-fadeout" type="bool" value="false"/>
  <property name="do-slideout" type="bool" value="false"/>
</channel>
"#;

/// Starts xfconf, which the panel cannot do without, and nothing else by itself: a desktop has a notification daemon
/// only if a test starts one.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=HOME/run/bus</listen><auth>EXTERNAL</auth>
<servicedir>HOME/services</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#;

/// Where xfconf says how it is started.
const XFCONF: &str = "/usr/share/dbus-1/services/org.xfce.Xfconf.service";

/// Fonts that hold Latin and Korean letters of one family.
const GTK: &str = "[Settings]\ngtk-font-name=Noto Sans CJK KR 10\n";

/// From the panel's right end and from its top to the middle of its only icon, before scaling.
const ICON: i32 = 15;

/// The screen of a desktop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// In pixels.
    pub(crate) width: i32,
    /// In pixels.
    pub(crate) height: i32,
    /// Pixels for one of the toolkit's.
    pub(crate) scale: i32,
}

/// A window's place on the screen, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

/// The running desktop.
pub(crate) struct Desktop {
    home: tempfile::TempDir,
    screen: Screen,
    display: String,
    bus: String,
    /// Newest first, so that they end in the reverse order of their start.
    processes: Vec<Child>,
}

impl Desktop {
    /// Starts X server, bus and panel, and waits until the panel takes icons.
    pub(crate) async fn start() -> Self {
        Self::start_on(Screen { width: 900, height: 640, scale: 1 }).await
    }

    /// The same, on a screen of one's choice.
    pub(crate) async fn start_on(screen: Screen) -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join(".config/xfce4/xfconf/xfce-perchannel-xml");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("xfce4-panel.xml"), PANEL).unwrap();
        std::fs::write(config.join("xfce4-notifyd.xml"), NOTIFICATIONS).unwrap();
        let services = home.path().join("services");
        std::fs::create_dir(&services).unwrap();
        std::fs::copy(XFCONF, services.join("org.xfce.Xfconf.service")).expect("apt-get install xfconf");
        let bus = BUS.replace("HOME", &home.path().display().to_string());
        std::fs::write(home.path().join("bus.conf"), bus).unwrap();
        let toolkit = home.path().join(".config/gtk-3.0");
        std::fs::create_dir_all(&toolkit).unwrap();
        std::fs::write(toolkit.join("settings.ini"), GTK).unwrap();
        std::fs::create_dir(home.path().join("run")).unwrap();

        let mut server = Command::new("Xvfb");
        let size = format!("{}x{}x24", screen.width, screen.height);
        server.args(["-displayfd", "1", "-screen", "0", &size, "-nolisten", "tcp", "-noreset"]);
        let (server, number) = start_and_read_line(server);
        let display = format!(":{}", number.trim());
        let mut desktop = Self { home, screen, display, bus: String::new(), processes: vec![server] };

        let mut bus = desktop.command("dbus-daemon");
        bus.arg(format!("--config-file={}", desktop.home.path().join("bus.conf").display()));
        bus.args(["--nofork", "--print-address=1"]);
        let (bus, address) = start_and_read_line(bus);
        address.trim().clone_into(&mut desktop.bus);
        desktop.processes.insert(0, bus);

        let mut panel = desktop.command("xfce4-panel");
        panel.arg("--disable-wm-check");
        desktop.spawn(panel);
        let connection = desktop.connect().await;
        wait_for("the panel to take icons", || async {
            let watcher = watcher(&connection).await.ok()?;
            watcher.get_property::<bool>("IsStatusNotifierHostRegistered").await.ok()?.then_some(())
        })
        .await;
        desktop
    }

    /// Starts xfce4-notifyd and waits until it answers.
    pub(crate) async fn start_notifications(&mut self) {
        let daemon = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
            .into_iter()
            .map(|folder| Path::new(folder).join("xfce4/notifyd/xfce4-notifyd"))
            .find(|path| path.exists())
            .expect("xfce4-notifyd is needed: apt-get install xfce4-notifyd");
        let command = self.command(daemon);
        self.spawn(command);
        let connection = self.connect().await;
        wait_for("the notification daemon", || async {
            let names = zbus::fdo::DBusProxy::new(&connection).await.ok()?;
            let name = "org.freedesktop.Notifications".try_into().ok()?;
            names.name_has_owner(name).await.ok()?.then_some(())
        })
        .await;
    }

    /// A command that sees this desktop and nothing of the machine's own.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path());
        command.env("XDG_CONFIG_HOME", self.home.path().join(".config"));
        command.env("XDG_RUNTIME_DIR", self.home.path().join("run"));
        command.env("DISPLAY", &self.display);
        if self.screen.scale > 1 {
            command.env("GDK_SCALE", self.screen.scale.to_string());
        }
        command.env("LANG", "C.UTF-8").env("TZ", "UTC").env("RUST_BACKTRACE", "1");
        // No accessibility bus, no file-system daemons, no settings daemon: they would outlive the test.
        command.env("NO_AT_BRIDGE", "1").env("GTK_A11Y", "none");
        command.env("GIO_USE_VFS", "local").env("GSETTINGS_BACKEND", "memory").env("GVFS_DISABLE_FUSE", "1");
        if !self.bus.is_empty() {
            command.env("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        }
        command
    }

    /// The temporary home folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Pixels for one of the toolkit's.
    pub(crate) fn scale(&self) -> i32 {
        self.screen.scale
    }

    /// The X display, `:99`.
    pub(crate) fn display(&self) -> &str {
        &self.display
    }

    /// Address of the session bus.
    pub(crate) fn bus(&self) -> &str {
        &self.bus
    }

    /// A connection to the session bus, from the test itself.
    pub(crate) async fn connect(&self) -> Connection {
        zbus::connection::Builder::address(self.bus.as_str()).build().await.unwrap()
    }

    /// Waits until the icon of the process with this id is on the panel.
    pub(crate) async fn tray_item(&self, pid: u32) -> TrayItem {
        let connection = self.connect().await;
        let wanted = format!("org.kde.StatusNotifierItem-{pid}-");
        let name = wait_for("the icon on the panel", || async {
            let items: Vec<String> =
                watcher(&connection).await.ok()?.get_property("RegisteredStatusNotifierItems").await.ok()?;
            let item = items.into_iter().find(|item| item.starts_with(&wanted))?;
            Some(item.split('/').next().unwrap_or_default().to_owned())
        })
        .await;
        TrayItem { connection, name }
    }

    /// Runs `xdotool` and gives its output.
    pub(crate) fn xdotool(&self, arguments: &[&str]) -> String {
        let output = self.command("xdotool").args(arguments).output().expect("apt-get install xdotool");
        assert!(output.status.success(), "xdotool {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Clicks with the left button.
    pub(crate) fn click_at(&self, across: i32, down: i32) {
        self.xdotool(&["mousemove", &across.to_string(), &down.to_string(), "click", "1"]);
    }

    /// The middle of the only icon on the panel.
    pub(crate) fn icon_place(&self) -> (i32, i32) {
        (self.screen.width - ICON * self.screen.scale, ICON * self.screen.scale)
    }

    /// Opens the menu of the only icon on the panel, as a person does, and says where it is.
    pub(crate) async fn open_menu(&self) -> Window {
        wait_for("the menu to open", || async {
            let (across, down) = self.icon_place();
            self.xdotool(&["mousemove", &across.to_string(), &down.to_string(), "click", "3"]);
            // A second click would close a menu that was only slow.
            for _ in 0..20 {
                if let Some(menu) = self.menu_window() {
                    return Some(menu);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            None
        })
        .await
    }

    /// Where the open menu is, if one is open: the only window that is large and not as wide as the screen.
    pub(crate) fn menu_window(&self) -> Option<Window> {
        let windows = self.xdotool(&["search", "--onlyvisible", "--name", ".*"]);
        let notifications = self.notification_ids();
        let others = windows.lines().filter(|&id| !notifications.iter().any(|known| known == id));
        others
            .filter_map(|id| self.window(id))
            .find(|window| window.width < self.screen.width - 1 && window.height > 100 * self.screen.scale)
    }

    /// The notification on the screen, if there is exactly one.
    pub(crate) fn notification_window(&self) -> Option<Window> {
        match self.notification_ids().as_slice() {
            [only] => self.window(only),
            _ => None,
        }
    }

    /// Puts the notification below the panel, where a window manager would have it.
    pub(crate) fn place_notification(&self) {
        let ids = self.notification_ids();
        let [id] = ids.as_slice() else { return };
        let Some(window) = self.window(id) else { return };
        let margin = 12 * self.screen.scale;
        let (left, top) = (self.screen.width - window.width - margin, 2 * ICON * self.screen.scale + margin);
        self.xdotool(&["windowmove", "--sync", id, &left.to_string(), &top.to_string()]);
    }

    fn notification_ids(&self) -> Vec<String> {
        // It fails where it finds none.
        let found = self.command("xdotool").args(["search", "--onlyvisible", "--class", "xfce4-notifyd"]).output();
        let text = found.map(|found| String::from_utf8_lossy(&found.stdout).into_owned()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn window(&self, id: &str) -> Option<Window> {
        // A window that has closed in the meantime is none.
        let output = self.command("xdotool").args(["getwindowgeometry", "--shell", id]).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
        Some(Window { left: value("X")?, top: value("Y")?, width: value("WIDTH")?, height: value("HEIGHT")? })
    }

    /// Saves a picture of the whole screen.
    pub(crate) fn screenshot(&self, path: &Path) {
        let status = self
            .command("import")
            .args(["-silent", "-window", "root"])
            .arg(path)
            .status()
            .expect("apt-get install imagemagick");
        assert!(status.success(), "import: {status}");
    }

    /// Where tests put their pictures: `target/pictures`.
    pub(crate) fn pictures() -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Paints the screen behind everything, from one colour at its top to another at its bottom.
    pub(crate) fn paint(&self, top: &str, bottom: &str) {
        let size = format!("{}x{}", self.screen.width, self.screen.height);
        let mut display = self.command("display");
        display.args(["-size", &size, "-window", "root", &format!("gradient:{top}-{bottom}")]);
        // ImageMagick 6 ends with 1 although it has painted.
        display.output().expect("apt-get install imagemagick");
    }

    fn spawn(&mut self, mut command: Command) {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().unwrap_or_else(|error| panic!("{program} is needed: {error}"));
        self.processes.insert(0, child);
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // Both fail only if it has ended already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Width, height and ARGB bytes.
type Picture = (i32, i32, Vec<u8>);

/// An icon on the panel.
pub(crate) struct TrayItem {
    connection: Connection,
    name: String,
}

/// One row of a menu, as the panel gets it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MenuNode {
    /// Shifts whenever the menu's structure changes: look rows up by their label.
    pub(crate) id: i32,
    pub(crate) label: String,
    pub(crate) enabled: bool,
    pub(crate) checked: bool,
    pub(crate) children: Vec<MenuNode>,
}

impl TrayItem {
    /// A property of `org.kde.StatusNotifierItem`.
    pub(crate) async fn property<T>(&self, property: &str) -> T
    where
        T: serde::de::DeserializeOwned + zbus::Type,
    {
        // Asked anew each time: a cache would show what was before a signal came.
        let item = zbus::proxy::Builder::<Proxy<'_>>::new(&self.connection)
            .destination(self.name.as_str())
            .path("/StatusNotifierItem")
            .interface("org.kde.StatusNotifierItem")
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
            .unwrap();
        item.get_property(property).await.unwrap()
    }

    /// Width, height and ARGB bytes of the icon.
    pub(crate) async fn pixels(&self) -> Picture {
        let mut pictures: Vec<Picture> = self.property("IconPixmap").await;
        pictures.remove(0)
    }

    /// Title and text of the tooltip.
    pub(crate) async fn tooltip(&self) -> (String, String) {
        let (_, _, title, text): (String, Vec<Picture>, String, String) = self.property("ToolTip").await;
        (title, text)
    }

    /// The whole menu.
    pub(crate) async fn menu(&self) -> Vec<MenuNode> {
        let menu = self.menu_proxy().await;
        let properties: Vec<&str> = Vec::new();
        let reply = menu.call_method("GetLayout", &(0_i32, -1_i32, properties)).await.unwrap();
        let (_, (_, _, children)): (u32, Layout) = reply.body().deserialize().unwrap();
        children.into_iter().filter_map(node).collect()
    }

    /// Whether a row with this label is there now, submenus included.
    pub(crate) async fn row(&self, label: &str) -> Option<MenuNode> {
        find(&self.menu().await, label)
    }

    /// Waits for a row with this label.
    pub(crate) async fn wait_for_row(&self, label: &str) -> MenuNode {
        wait_for(&format!("the row {label:?}"), || self.row(label)).await
    }

    /// Clicks the row with this label.
    pub(crate) async fn click(&self, label: &str) {
        let row = self.wait_for_row(label).await;
        let menu = self.menu_proxy().await;
        menu.call_method("Event", &(row.id, "clicked", Variant::from(0_i32), 0_u32)).await.unwrap();
    }

    /// The panel's left click on the icon.
    pub(crate) async fn activate(&self) {
        let item =
            Proxy::new(&self.connection, self.name.as_str(), "/StatusNotifierItem", "org.kde.StatusNotifierItem")
                .await
                .unwrap();
        item.call_method("Activate", &(0_i32, 0_i32)).await.unwrap();
    }

    async fn menu_proxy(&self) -> Proxy<'_> {
        Proxy::new(&self.connection, self.name.as_str(), "/MenuBar", "com.canonical.dbusmenu").await.unwrap()
    }
}

/// Id, properties and children of a row.
type Layout = (i32, std::collections::HashMap<String, OwnedVariant>, Vec<OwnedVariant>);

fn node(value: OwnedVariant) -> Option<MenuNode> {
    let (id, properties, children): Layout = value.try_into().ok()?;
    let text = |name: &str| properties.get(name).and_then(|value| String::try_from(value.clone()).ok());
    let number = |name: &str| properties.get(name).and_then(|value| i32::try_from(value).ok());
    if text("type").as_deref() == Some("separator") {
        return None;
    }
    Some(MenuNode {
        id,
        // An underscore marks a letter for the keyboard; a doubled one is an underscore.
        label: text("label").unwrap_or_default().replace("__", "\u{0}").replace('_', "").replace('\u{0}', "_"),
        enabled: properties.get("enabled").and_then(|value| bool::try_from(value).ok()).unwrap_or(true),
        checked: number("toggle-state") == Some(1),
        children: children.into_iter().filter_map(node).collect(),
    })
}

fn find(rows: &[MenuNode], label: &str) -> Option<MenuNode> {
    rows.iter().find_map(|row| if row.label == label { Some(row.clone()) } else { find(&row.children, label) })
}

async fn watcher(connection: &Connection) -> zbus::Result<Proxy<'static>> {
    zbus::proxy::Builder::<Proxy<'_>>::new(connection)
        .destination("org.kde.StatusNotifierWatcher")
        .path("/StatusNotifierWatcher")
        .interface("org.kde.StatusNotifierWatcher")
        .cache_properties(zbus::proxy::CacheProperties::No)
        .build()
        .await
}

/// Asks again and again until there is an answer, at most for [`PATIENCE`].
pub(crate) async fn wait_for<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Starts a program that says on its first line of output where it can be reached.
fn start_and_read_line(mut command: Command) -> (Child, String) {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.trim().is_empty(), "{program} did not start");
    (child, line)
}
