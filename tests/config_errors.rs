//! What a person reads when the configuration is wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use insta::assert_snapshot;
use lifeguard::config::Config;
use lifeguard::config::environment::Environment;
use lifeguard::config::load::{load, parse};
use lifeguard::config::paths::Paths;
use lifeguard::text::{Language, Phrase};
use proptest::prelude::*;

fn problems(text: &str, language: Language) -> String {
    let environment = Environment::default().with([("HOME", "/home/kim")]);
    parse(text, Path::new("config.toml"), &environment).unwrap_err().say(language)
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    assert_snapshot!(problems("[probe]\ninterva = \"10s\"\nxyz = 3\n", Language::English), @r#"
    config.toml: the configuration has 2 problems:

    line 2, column 1: there is no key `interva` here
      2 | interva = "10s"
        | ^^^^^^^
      Did you mean `interval`?

    line 3, column 1: there is no key `xyz` here
      3 | xyz = 3
        | ^^^
      Possible here: interval, retry_interval, connect_timeout, timeout, failures_before_down, activity_interval.
    "#);
    assert_snapshot!(problems("[probe]\ninterva = \"10s\"\n", Language::Korean), @r#"
    config.toml: 설정 파일에 문제가 1개 있습니다:

    2행 1열: 여기에는 `interva` 키가 없습니다
      2 | interva = "10s"
        | ^^^^^^^
      `interval`을(를) 쓰려던 것인가요?
    "#);
}

#[test]
fn every_problem_is_told_at_once_in_the_order_of_the_file() {
    let text = r#"language = "fr"
[[gateway]]
name = "a/b"
port = 70000
[[gateway]]
port = 18789
[[gateway]]
name = "other"
port = 18789
profile = "../x"
command = []
service = "sistemd"
[probe]
interval = "0s"
timeout = "5"
connect_timeout = "1m"
[heal]
backoff_seconds = [10, 0, 99999]
budget = 0
crash_limit = "six"
startup_grace = "10m"
[alerts.discord]
username = ""
webhook = "https://example.org/hunter2"
"#;
    let said = problems(text, Language::English);
    assert!(!said.contains("hunter2"), "{said}");
    assert_snapshot!(said, @r#"
    config.toml: the configuration has 17 problems:

    line 1, column 12: `fr` is not a possible value here
      1 | language = "fr"
        |            ^^^^
      Possible here: auto, en, ko.

    line 3, column 8: this `name` cannot be used for files
      3 | name = "a/b"
        |        ^^^^^
      Use up to 64 letters, digits, spaces, dots, dashes and underlines; begin with a letter or a digit.

    line 4, column 8: `port` cannot have this value: invalid value: integer `70000`, expected u16
      4 | port = 70000
        |        ^^^^^
      A port is a number from 1 to 65535.

    line 9, column 8: another gateway has port 18789 already
      9 | port = 18789
        |        ^^^^^
      Give each gateway a `port` of its own.

    line 10, column 11: OpenClaw does not take this `profile`
      10 | profile = "../x"
         |           ^^^^^^
      Use up to 64 Latin letters, digits, dashes and underlines.

    line 11, column 11: `command` is empty
      11 | command = []
         |           ^^
      Write a value, or leave the line out.

    line 12, column 11: `sistemd` is not a possible value here
      12 | service = "sistemd"
         |           ^^^^^^^^^
      Did you mean `systemd`?

    line 14, column 12: `interval` must be longer than zero
      14 | interval = "0s"
         |            ^^^^
      Write a duration such as "10s".

    line 15, column 11: `timeout` cannot have this value: failed to parse input in the "friendly" duration format: expected to find unit designator suffix (e.g., `years` or `secs`) after parsing integer
      15 | timeout = "5"
         |           ^^^
      Write a duration with its unit, such as "10s", "5m" or "6h".

    line 16, column 19: `probe.connect_timeout` is longer than `probe.timeout`
      16 | connect_timeout = "1m"
         |                   ^^^^
      Make it shorter, or `probe.timeout` longer.

    line 18, column 24: `backoff_seconds` must be from 1 to 21600
      18 | backoff_seconds = [10, 0, 99999]
         |                        ^

    line 18, column 27: `backoff_seconds` must be from 1 to 21600
      18 | backoff_seconds = [10, 0, 99999]
         |                           ^^^^^

    line 19, column 10: `budget` must be from 1 to 1000
      19 | budget = 0
         |          ^

    line 20, column 15: `crash_limit` cannot have this value: invalid type: text, expected u32
      20 | crash_limit = "six"
         |               ^^^^^
      docs/config.md shows every key with an example.

    line 21, column 17: `heal.startup_grace` is longer than `heal.startup_limit`
      21 | startup_grace = "10m"
         |                 ^^^^^
      Make it shorter, or `heal.startup_limit` longer.

    line 23, column 12: `username` is empty
      23 | username = ""
         |            ^^
      Write a value, or leave the line out.

    line 24, column 11: this is not the address of a Discord webhook (https://discord.com/api/webhooks/…)
      In Discord: channel settings, Integrations, Webhooks, Copy Webhook URL.
    "#);
}

#[test]
fn what_is_not_toml_is_told_with_its_place() {
    assert_snapshot!(problems("[probe\ninterval = \"10s\"\n", Language::English), @"
    config.toml: the configuration has a problem:

    line 1, column 7: this is not TOML: unclosed table, expected `]`
      1 | [probe
        |       ^
      docs/config.md shows every key with an example.
    ");
    assert_snapshot!(problems("interval = \n", Language::Korean), @"
    config.toml: 설정 파일에 문제가 1개 있습니다:

    1행 12열: TOML 형식이 아닙니다: string values must be quoted, expected literal string
      1 | interval = 
        |            ^
      모든 키와 예시는 docs/config.md에 있습니다.
    ");
}

#[test]
fn a_secret_is_never_quoted() {
    for text in [
        "[alerts]\ndiscord = \"https://discord.com/api/webhooks/1/hunter2\"\n",
        "[alerts.discord]\nwebhok = \"https://discord.com/api/webhooks/1/hunter2\"\n",
        "[alerts.discord]\nwebhook = \"http://discord.com/api/webhooks/1/hunter2\"\n",
        "[alerts.discord]\nwebhook = [\"hunter2\"]\n",
        "[alerts.discord]\nwebhook = \"hunter2\n",
        "alerts = \"hunter2\"\n",
    ] {
        for language in Language::ALL {
            let said = problems(text, language);
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

#[test]
fn a_secret_that_cannot_be_had_says_what_to_do() {
    assert_snapshot!(problems("[alerts.discord]\nwebhook = \"env:NO_SUCH_HOOK\"\n", Language::English), @"
    config.toml: the configuration has a problem:

    line 2, column 11: the secret is not there: the environment variable NO_SUCH_HOOK is not set; set it, or name another source
    ");
}

#[test]
fn a_file_that_nobody_named_need_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let environment = Environment::default().with([("LIFEGUARD_STATE_DIR", folder.path().to_str().unwrap())]);
    let missing = folder.path().join("missing.toml");
    let named = Paths::of(&environment, Some(&missing)).unwrap();
    let said = load(&named, &environment).unwrap_err().to_string();
    assert!(said.contains("missing.toml"), "{said}");
    let unnamed = Paths { config_named: false, ..named };
    assert_eq!(load(&unnamed, &environment).unwrap(), Config::default());
}

#[test]
fn a_whole_file_is_taken() {
    let text = r#"
language = "ko"
[[gateway]]
name = "home"
service = "child"
port = 19001
state_dir = "~/claw"
command = ["openclaw", "gateway", "run"]
environment = { OPENCLAW_NO_AUTO_UPDATE = "1" }
[probe]
interval = "30s"
[alerts.discord]
webhook = "env:HOOK"
[tray]
monochrome = true
"#;
    let environment =
        Environment::default().with([("HOME", "/home/kim"), ("HOOK", "https://discord.com/api/webhooks/1/x")]);
    let config = parse(text, Path::new("config.toml"), &environment).unwrap();
    assert_eq!(config.gateways[0].state_dir.as_deref(), Some(Path::new("/home/kim/claw")));
    assert_eq!(config.alerts.discord.webhook.unwrap().expose(), "https://discord.com/api/webhooks/1/x");
    assert!(config.tray.monochrome);
}

#[test]
fn nesting_beyond_reason_is_a_problem_and_no_crash() {
    let said = problems(&format!("language = {}", "[".repeat(20_000)), Language::English);
    assert!(said.contains("not TOML"), "{said}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]a-z_=\"'0-9{},.\\n #é\u{ac00}-]{0,120}") {
        let environment = Environment::default().with([("HOME", "/home/kim")]);
        if let Err(error) = parse(&text, Path::new("config.toml"), &environment) {
            prop_assert!(!error.problems.is_empty());
            for language in Language::ALL {
                prop_assert!(error.say(language).contains("config.toml"));
            }
        }
    }

    #[test]
    fn no_change_to_a_good_file_makes_it_panic(at in 0..GOOD.len(), with in "[\\[\\]=\"'{}\\n#0-9a-z가]{0,3}") {
        let environment = Environment::default().with([("HOME", "/home/kim")]);
        let text = format!("{}{with}{}", &GOOD[..at], &GOOD[at + 1..]);
        if let Err(error) = parse(&text, Path::new("config.toml"), &environment) {
            prop_assert!(!error.problems.is_empty());
            let _ = error.say(Language::English);
        }
    }
}

const GOOD: &str = r#"
language = "ko"
[[gateway]]
name = "home"
service = "child"
port = 19001
environment = { A = "1" }
[probe]
interval = "30s"
[heal]
backoff_seconds = [1, 2]
[tray]
monochrome = true
"#;
