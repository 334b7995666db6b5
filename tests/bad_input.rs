//! What a person gives the program by mistake, or what the machine does not give it: a clear message, a sensible
//! state, nothing lost.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/lifeguard.rs"]
mod lifeguard_process;
#[path = "support/practice.rs"]
mod practice;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use discord::{Fault, TOKEN};
use gateway::{GatewayHome, free_port, wait_until};
use lifeguard::snapshot::GatewaySnapshot;
use lifeguard_process::{QUICK, RECOVERED, SOON, Watch, signal_gateway};
use rustix::process::Signal;
use serde_json::Value;

/// A machine on which there is nothing: no gateway, no programs, no desktop.
struct Bare {
    home: tempfile::TempDir,
    port: u16,
}

impl Bare {
    fn new() -> Self {
        Self { home: tempfile::Builder::new().prefix("lg-").tempdir().unwrap(), port: free_port() }
    }

    fn state_dir(&self) -> PathBuf {
        self.home.path().join("state")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lifeguard"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "")
            .env("LIFEGUARD_STATE_DIR", self.state_dir())
            .env("OPENCLAW_GATEWAY_PORT", self.port.to_string())
            .env("TZ", "UTC")
            .args(words)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn status(&self) -> Value {
        let output = self.run(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
    }

    /// Runs `watch`, which is expected to refuse; what it said.
    fn refused(&self, words: &[&str]) -> (i32, String) {
        let mut refusing = Running(self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        let ended = wait_until(SOON, || refusing.0.try_wait().unwrap().is_some());
        assert!(ended, "it did not refuse");
        let mut said = String::new();
        std::io::Read::read_to_string(&mut refusing.0.stderr.take().unwrap(), &mut said).unwrap();
        assert!(!said.contains("panicked"), "{said}");
        (refusing.0.wait().unwrap().code().unwrap(), said)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.state_dir().join("logs/lifeguard.log")).unwrap_or_default()
    }
}

/// Killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn without_a_gateway_status_says_so_and_watch_keeps_watching() {
    let bare = Bare::new();
    let status = bare.run(&["--language", "en", "status"]);
    assert_eq!(status.status.code(), Some(1));
    let said = text(&status.stdout);
    assert!(said.contains("No gateway found"), "{said}");

    let mut watching = Running(bare.command(&["watch"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let shows = |wanted: &str| {
        let status = bare.status();
        status["lifeguard_running"] == true && status["gateways"][0]["health"] == wanted
    };
    assert!(wait_until(SOON, || shows("not_installed")), "{}\n{}", bare.status(), bare.log());
    let checked = bare.status()["gateways"][0]["checked"].as_i64();
    assert!(wait_until(SOON, || bare.status()["gateways"][0]["checked"].as_i64() > checked), "it looks no more");
    assert!(shows("not_installed"), "{}", bare.status());
    assert!(watching.0.try_wait().unwrap().is_none(), "it ended");
}

#[test]
fn a_configuration_that_is_not_one_is_told_with_its_place_and_nothing_starts() {
    let bare = Bare::new();
    let file = bare.home.path().join("config.toml");
    let path = file.to_str().unwrap();
    fs::write(&file, "[probe]\ninterva = \"5s\"\n").unwrap();
    let (code, said) = bare.refused(&["--language", "en", "--config", path, "watch"]);
    assert_eq!(code, 2);
    for part in ["line 2, column 1", "interva", "Did you mean `interval`?"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    fs::write(&file, "[probe\n").unwrap();
    let (code, said) = bare.refused(&["--language", "en", "--config", path, "watch"]);
    assert!(code == 2 && said.contains("line 1"), "{said}");
    fs::write(&file, [0xFF, 0xFE, 0x00]).unwrap();
    let (code, said) = bare.refused(&["--language", "en", "--config", path, "watch"]);
    assert!(code == 2 && said.contains(path), "{said}");
    assert!(!bare.state_dir().join("logs/lifeguard.log").exists(), "nothing was started");
}

#[test]
fn a_configuration_that_cannot_be_read_is_told() {
    let bare = Bare::new();
    // A folder in the file's place: permissions would not stop root.
    let folder = bare.home.path().join("config.toml");
    fs::create_dir(&folder).unwrap();
    let missing = bare.home.path().join("missing.toml");
    for path in [folder, missing] {
        let (code, said) = bare.refused(&["--language", "en", "--config", path.to_str().unwrap(), "watch"]);
        assert!(code == 2 && said.contains(path.to_str().unwrap()), "{said}");
    }
}

#[test]
fn a_webhook_that_is_none_is_refused_and_never_quoted() {
    let bare = Bare::new();
    let file = bare.home.path().join("config.toml");
    for address in [
        format!("https://discord.com/channels/{TOKEN}"),
        format!("http://discord.com/api/webhooks/1/{TOKEN}"),
        TOKEN.to_owned(),
    ] {
        fs::write(&file, format!("[alerts.discord]\nwebhook = \"{address}\"\n")).unwrap();
        let (code, said) = bare.refused(&["--language", "en", "--config", file.to_str().unwrap(), "watch"]);
        assert!(code == 2 && said.contains("line 2"), "{said}");
        assert!(!said.contains(TOKEN), "{said}");
    }
}

#[test]
fn a_state_folder_that_cannot_be_one_is_told_and_nothing_starts() {
    let bare = Bare::new();
    let file = bare.home.path().join("file");
    fs::write(&file, "mine").unwrap();
    for place in [&file, &file.join("below"), Path::new("/proc/lifeguard")] {
        let mut command = bare.command(&["--language", "en", "watch"]);
        let output = command.env("LIFEGUARD_STATE_DIR", place).output().unwrap();
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(place.to_str().unwrap()), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

fn practice_home() -> GatewayHome {
    practice::home(&["--unclean-window", "1ms"])
}

#[test]
fn a_damaged_state_is_kept_aside_and_the_gateway_still_watched() {
    let home = practice_home();
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    lifeguard.crash();
    fs::write(watch.state_file(), "{\"version\":1,\"sa").unwrap();
    // With its log the file would mend itself.
    fs::remove_file(watch.state_file().with_extension("sqlite3-wal")).unwrap();

    let lifeguard = watch.start();
    let gateway = lifeguard.wait_healthy(SOON);
    assert_eq!((gateway.pid, watch.heals()), (pid, 1));
    let notice = gateway.notice.unwrap();
    let kept = fs::read_dir(watch.state_dir()).unwrap().map(|entry| entry.unwrap().path());
    let kept = kept
        .into_iter()
        .find(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("history.sqlite3.kept-") && !name.ends_with("-wal") && !name.ends_with("-shm")
        })
        .unwrap();
    assert!(notice.contains(kept.to_str().unwrap()), "{notice}");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "{\"version\":1,\"sa");
    assert!(text(&watch.run(&["status"]).stdout).contains(kept.to_str().unwrap()));
}

#[test]
fn a_state_file_that_cannot_be_written_is_shown_and_healing_goes_on() {
    let home = practice_home();
    let watch = Watch::new(&home, "child", QUICK);
    // A folder in the file's place: it can be neither read nor replaced.
    fs::create_dir_all(watch.state_file().join("in the way")).unwrap();
    fs::set_permissions(watch.state_dir(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let lifeguard = watch.start();
    let before = lifeguard.wait_healthy(SOON);
    let shown = |gateway: &GatewaySnapshot| {
        gateway.notice.as_ref().is_some_and(|notice| notice.contains(watch.state_file().to_str().unwrap()))
    };
    assert!(shown(&before), "{before:?}");
    signal_gateway(before.pid.unwrap(), Signal::KILL);
    let after = lifeguard.wait(SOON, "another process", |gateway| {
        gateway.health == lifeguard::supervisor::verdict::Health::Healthy && gateway.pid != before.pid
    });
    assert!(shown(&after), "{after:?}");
}

#[test]
fn a_webhook_that_is_gone_is_shown_and_not_hammered() {
    let home = practice_home();
    let watch = Watch::new(&home, "child", QUICK);
    watch.discord().always(Some(Fault::Status(404)));
    let lifeguard = watch.start();
    let first = lifeguard.wait_healthy(SOON);
    signal_gateway(first.pid.unwrap(), Signal::KILL);
    lifeguard.wait(SOON, "an outage behind it", |gateway| gateway.last_incident.is_some());
    let problem = || lifeguard.look().channels.into_iter().find_map(|channel| channel.problem);
    assert!(wait_until(SOON, || problem().is_some()), "{}", watch.log());
    let problem = problem().unwrap();
    assert!(!problem.contains(TOKEN) && problem.contains("configured address (404)"), "{problem}");
    assert!(text(&watch.run(&["status"]).stdout).contains(&problem));
    let requests = watch.seen().requests;
    let begin = Instant::now();
    wait_until(Duration::from_secs(5), || watch.seen().requests > requests + 1);
    assert!(requests <= 2 && watch.seen().requests <= 2, "{requests} requests, then more in {:?}", begin.elapsed());
    assert!(!watch.log().contains(TOKEN) && !watch.printed().contains(TOKEN));
}

#[test]
fn what_the_self_check_finds_is_told_once() {
    let home = practice_home();
    let watch = Watch::new(&home, "child", QUICK);
    let text = fs::read_to_string(watch.config_path()).unwrap().replace("self_check = false", "self_check = true");
    fs::write(watch.config_path(), text).unwrap();
    // It shows a webhook to everybody.
    fs::set_permissions(watch.config_path(), fs::Permissions::from_mode(0o644)).unwrap();
    let said = || watch.log().matches("self-check: ").count();
    let lifeguard = watch.start();
    assert!(wait_until(SOON, || watch.headlines().len() == 1), "{}", watch.log());
    let message = watch.seen().messages[0].to_string();
    assert!(watch.headlines()[0].starts_with("Self-check: ") && message.contains("chmod go="), "{message}");
    lifeguard.wait_receipts();
    lifeguard.crash();
    let before = said();
    let _lifeguard = watch.start();
    assert!(wait_until(SOON, || said() >= before * 2), "{}", watch.log());
    assert_eq!(watch.headlines().len(), 1, "it is known: {:?}", watch.headlines());
}

#[test]
fn what_could_not_be_told_lives_through_a_crash_of_lifeguard() {
    let home = practice_home();
    let watch = Watch::new(&home, "child", QUICK);
    watch.discord().always(Some(Fault::Status(503)));
    let lifeguard = watch.start();
    signal_gateway(lifeguard.wait_healthy(SOON).pid.unwrap(), Signal::KILL);
    lifeguard.wait(SOON, "the outage behind it", |gateway| {
        gateway.last_incident.as_ref().is_some_and(|incident| incident.ended.is_some())
    });
    assert!(watch.seen().messages.is_empty());
    lifeguard.crash();
    watch.discord().always(None);

    let lifeguard = watch.start();
    watch.wait_told(SOON, &[RECOVERED]);
    let text = watch.seen().messages[0]["embeds"][0]["description"].to_string();
    assert!(text.contains("this message tells both") && !text.contains("repeat"), "{text}");
    lifeguard.wait_healthy(SOON);
    assert_eq!(watch.heals(), 2, "the start, and the one heal");
}

#[test]
fn without_a_session_bus_notifications_say_what_is_missing_and_watching_goes_on() {
    let home = practice_home();
    let watch = Watch::new(&home, "child", QUICK);
    let file = fs::read_to_string(watch.config_path()).unwrap();
    fs::write(watch.config_path(), file.replace("native = { enabled = false }", "native = { enabled = true }"))
        .unwrap();
    let lifeguard = watch.start();
    lifeguard.wait_healthy(SOON);
    let output = watch.run(&["alerts", "test"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(said.contains("native") && said.contains("discord"), "{said}");
    watch.wait_told(SOON, &["Test alert from Lifeguard"]);
    let native = lifeguard.look().channels.into_iter().find(|channel| channel.name == "native").unwrap();
    assert!(native.problem.is_some_and(|problem| problem.contains("D-Bus") || problem.contains("bus")), "{said}");
    lifeguard.wait_healthy(SOON);
}
