//! `lifeguard config`, completions and manual pages, as a person uses them; and a file that is changed while a
//! Lifeguard runs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/lifeguard.rs"]
mod lifeguard_process;
#[path = "support/practice.rs"]
mod practice;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use gateway::wait_until;
use lifeguard_process::{QUICK, SOON, Watch};

fn run(home: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lifeguard"))
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LIFEGUARD_STATE_DIR", home.join("state"))
        .env("LIFEGUARD_CONFIG", home.join("lifeguard/config.toml"))
        .env("EDITOR", home.join("editor"))
        .args(["--language", "en"])
        .args(words)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_configuration_is_made_shown_edited_and_checked() {
    let home = tempfile::tempdir().unwrap();
    // The folder's own path is a name like any other; links in it are not resolved.
    let file = home.path().join("lifeguard/config.toml");
    assert_eq!(stdout(&run(home.path(), &["config", "path"])).trim(), file.display().to_string());
    let made = run(home.path(), &["config", "init"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(run(home.path(), &["config", "init"]).status.code(), Some(1), "it is not overwritten");
    assert!(stdout(&run(home.path(), &["config", "check"])).contains("is valid"));

    let editor = home.path().join("editor");
    fs::write(
        &editor,
        "#!/bin/sh\nprintf '[alerts.discord]\\nwebhook = \"https://discord.com/api/webhooks/1/hunter2\"\\n' > \"$1\"\n",
    )
    .unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(run(home.path(), &["config", "edit"]).status.code(), Some(0));
    let shown = stdout(&run(home.path(), &["config", "show"]));
    assert!(shown.contains("webhook = \"[hidden]\"") && !shown.contains("hunter2"), "{shown}");

    fs::write(&editor, "#!/bin/sh\nprintf '[heal]\\ncrash_limti = 3\\n' > \"$1\"\n").unwrap();
    let bad = run(home.path(), &["config", "edit"]);
    assert_eq!(bad.status.code(), Some(2));
    let complaint = String::from_utf8(bad.stderr).unwrap();
    assert!(complaint.contains("line 2, column 1") && complaint.contains("Did you mean `crash_limit`?"), "{complaint}");
    assert_eq!(run(home.path(), &["config", "check"]).status.code(), Some(2));
    fs::write(&editor, "#!/bin/sh\nexit 3\n").unwrap();
    assert_eq!(run(home.path(), &["config", "edit"]).status.code(), Some(1));
}

#[test]
fn shells_and_man_know_every_command() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let text = stdout(&run(home.path(), &["completions", shell]));
        for command in ["status", "check", "incidents", "login-item", "config"] {
            assert!(text.contains(command), "{shell} does not know {command}");
        }
    }
    let bash = home.path().join("lifeguard.bash");
    fs::write(&bash, run(home.path(), &["completions", "bash"]).stdout).unwrap();
    assert!(Command::new("bash").arg("-n").arg(&bash).status().unwrap().success());
    let folder = home.path().join("man1");
    let pages = run(home.path(), &["man", folder.to_str().unwrap()]);
    assert_eq!(pages.status.code(), Some(0), "{pages:?}");
    let page = fs::read_to_string(folder.join("lifeguard-check.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("\\-\\-fix"), "{page}");
    assert!(folder.join("lifeguard.1").exists() && folder.join("lifeguard-incidents-show.1").exists());
}

#[test]
fn a_changed_file_is_taken_while_it_runs_and_a_bad_one_is_told_while_the_old_one_holds() {
    let home = practice::home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    let good = fs::read_to_string(watch.config_path()).unwrap();

    fs::write(watch.config_path(), format!("{good}crash_limit = 4\n")).unwrap();
    lifeguard.wait(SOON, "the new crash limit", |gateway| gateway.crash_limit == 4);

    fs::write(watch.config_path(), format!("{good}crash_limti = 3\n")).unwrap();
    let told = || lifeguard.look().notices.into_iter().find(|notice| notice.contains("stays in force"));
    assert!(wait_until(SOON, || told().is_some()), "{}", watch.log());
    let notice = told().unwrap();
    assert!(notice.contains("line ") && notice.contains("column 1"), "{notice}");
    assert_eq!(lifeguard.gateway().crash_limit, 4, "the old one holds");
    let status = String::from_utf8(watch.run(&["status"]).stdout).unwrap();
    assert!(status.contains("stays in force"), "{status}");

    fs::write(watch.config_path(), format!("language = \"ko\"\n{}", good.replace("language = \"en\"\n", ""))).unwrap();
    let restart = || lifeguard.look().notices.iter().any(|notice| notice.contains("start it again"));
    assert!(wait_until(SOON, restart), "{}", watch.log());
    fs::write(watch.config_path(), &good).unwrap();
    let silent = || lifeguard.look().notices.iter().all(|notice| notice.starts_with("Self-check"));
    assert!(wait_until(SOON, silent), "{:?}", lifeguard.look().notices);
    assert_eq!(lifeguard.gateway().pid, pid, "nothing was restarted");
}
