//! `lifeguard import`: the settings of an older watchdog of scripts are taken over, and the watchdog is left alone.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const WEBHOOK: &str = "https://discord.com/api/webhooks/123/hunter2";

/// What the old installer writes, and more.
const OLD: &str = r#"
# OpenClaw Self-Healing System Configuration (v3.1)
DISCORD_WEBHOOK_URL="https://discord.com/api/webhooks/123/hunter2"
SLACK_WEBHOOK_URL=$(touch ran; cat ~/slack)
TELEGRAM_BOT_TOKEN="nonsense"
TELEGRAM_CHAT_ID="nowhere else"
OPENCLAW_MEMORY_DIR="$HOME/openclaw/memory"
"#;

/// A configuration with comments.
const CONFIG: &str = "# mine\nlanguage = \"en\"\n\n[web]\nenabled = false # no page\n";

/// Without a session bus there is no keychain.
fn run(home: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lifeguard"))
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
        .env("LIFEGUARD_STATE_DIR", home.join("state"))
        .env("OPENCLAW_GATEWAY_PORT", "1")
        .current_dir(home)
        .args(words)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A home with the old watchdog's files; the counter's last crash was five hours ago.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".openclaw/watchdog")).unwrap();
    let ago = SystemTime::now() - Duration::from_hours(5);
    let stamp = ago.duration_since(UNIX_EPOCH).unwrap().as_secs();
    fs::write(home.path().join(".openclaw/watchdog/crash-timestamp"), format!("{stamp}\n")).unwrap();
    fs::write(home.path().join(".openclaw/.env"), OLD).unwrap();
    fs::write(home.path().join(".openclaw/watchdog/crash-counter"), "3\n").unwrap();
    home
}

/// The configuration as this system has it.
fn config(home: &Path) -> std::path::PathBuf {
    stdout(&run(home, &["config", "path"])).trim().into()
}

#[test]
fn it_shows_what_it_would_do_and_touches_nothing() {
    let home = home();
    let shown = run(home.path(), &["import", "--language", "en"]);
    assert_eq!(shown.status.code(), Some(0), "{shown:?}");
    let at_home = |output: &Output| stdout(output).replace(&home.path().display().to_string(), "HOME");
    insta::assert_snapshot!("what_would_be_done", at_home(&shown));
    let korean = run(home.path(), &["import", "--language", "ko"]);
    insta::assert_snapshot!("what_would_be_done_in_korean", at_home(&korean));
    assert!(!config(home.path()).exists() && !home.path().join("state/history.sqlite3").exists());
    assert!(!home.path().join("ran").exists(), "the old settings were run");
}

#[test]
fn the_webhook_and_the_counter_are_taken_over_once_and_the_old_watchdog_stays() {
    let home = home();
    let file = config(home.path());
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::set_permissions(file.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(&file, CONFIG).unwrap();
    let done = run(home.path(), &["import", "--yes"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let said = stdout(&done);
    assert!(!said.contains("hunter2"), "{said}");
    assert!(said.contains("The crash counter of gateway shows 3 now."), "{said}");

    let secret = file.with_file_name("imported-discord");
    assert_eq!(fs::read_to_string(&secret).unwrap(), WEBHOOK);
    assert_eq!(secret.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    let section = format!("\n[alerts.discord]\nwebhook = \"file:{}\"\n", secret.display());
    assert_eq!(text, format!("{CONFIG}{section}"));
    assert_eq!(run(home.path(), &["config", "check"]).status.code(), Some(0));

    assert_eq!(fs::read_to_string(home.path().join(".openclaw/.env")).unwrap(), OLD);
    assert_eq!(fs::read_to_string(home.path().join(".openclaw/watchdog/crash-counter")).unwrap(), "3\n");
    assert!(!home.path().join("ran").exists(), "the old settings were run");

    let again = run(home.path(), &["import", "--yes"]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(stdout(&again).contains("alerts.discord.webhook is set already"), "{again:?}");
    assert!(stdout(&again).contains("Lifeguard has itself counted 3 for gateway; that stays."), "{again:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn what_lifeguard_forgets_by_now_is_not_counted() {
    let home = home();
    fs::remove_file(home.path().join(".openclaw/.env")).unwrap();
    fs::write(home.path().join(".openclaw/watchdog/crash-timestamp"), "1700000000\n").unwrap();
    let done = run(home.path(), &["import", "--yes", "--language", "en"]);
    assert!(stdout(&done).contains("too long ago to count"), "{done:?}");
}

#[test]
fn a_home_without_an_old_watchdog_has_nothing_to_take_over() {
    let home = tempfile::tempdir().unwrap();
    let done = run(home.path(), &["import", "--yes", "--language", "en"]);
    assert_eq!(done.status.code(), Some(0));
    assert!(stdout(&done).starts_with("No settings of an older watchdog were found"), "{done:?}");
    assert!(!config(home.path()).exists());
}

#[test]
fn a_configuration_that_cannot_be_used_is_not_added_to() {
    let home = home();
    let file = config(home.path());
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "[heal]\nbudgte = 2\n").unwrap();
    assert_eq!(run(home.path(), &["import", "--yes"]).status.code(), Some(2));
    assert_eq!(fs::read_to_string(&file).unwrap(), "[heal]\nbudgte = 2\n");
    assert!(!file.with_file_name("imported-discord").exists());
}
