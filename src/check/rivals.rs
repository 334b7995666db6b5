//! Other programs that restart the gateway: two watchdogs count each other's restarts as crashes and fight.
//!
//! Looked for where people set such things up: the crontab, launch agents, systemd's user units, and running loops.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Finding, Ground, word};
use crate::platform::process::{arguments_of_user, own_uid};
use crate::redact::redact;
use crate::service::command::run;
use crate::text::check::own::OwnRemark;
use crate::text::check::{Grade, Subject};

/// Limit for reading the crontab.
const ASK_LIMIT: Duration = Duration::from_secs(3);

/// The largest script that is read, in bytes.
const LARGEST: u64 = 256 * 1024;

/// Characters of a rival's command that are shown.
const SHOWN: usize = 100;

/// What a command or script does to the gateway if it restarts it (`lifeguard` and OpenClaw's own service do none).
const DEEDS: [&str; 8] = [
    "gateway restart",
    "gateway start",
    "gateway stop",
    "gateway install",
    "kickstart",
    "pkill",
    "killall",
    "systemctl --user restart",
];

/// launchd labels of watchdogs that can be had publicly and restart the gateway, each with the command of its own that
/// takes it away, where it has one. The first two are of Ramsbaby/openclaw-self-healing, the third of
/// MoonAndEye/openclaw-watchdog, the next three of RuneweaverStudios/overclaw; the rest are used by several.
const KNOWN_LABELS: [(&str, Option<&str>); 9] = [
    ("ai.openclaw.watchdog", None),
    ("com.openclaw.healthcheck", None),
    ("com.openclaw.watchdog", Some("openclaw-watchdog uninstall")),
    ("com.openclaw.gateway-watchdog", None),
    ("com.openclaw.gateway-guard.watcher", None),
    ("com.openclaw.gateway-guard.continue-on-error", None),
    ("ai.openclaw.gateway-watchdog", None),
    ("ai.openclaw.guardian", None),
    ("ai.openclaw.healthcheck", None),
];

/// What watchdogs are called.
const NAMES: [&str; 5] = ["watchdog", "keepalive", "keep-alive", "healthcheck", "guardian"];

/// Something that restarts the gateway.
#[derive(Debug, PartialEq, Eq)]
struct Rival {
    what: String,
    place: String,
    mend: String,
}

pub(super) async fn other_watchdogs(ground: &Ground<'_>) -> Finding {
    let finding = |grade, remark| ground.finding(Subject::OtherWatchdogs, grade, &remark);
    // No crontab, or none for this person: nothing set up there.
    let crontab = run(&ground.tools.crontab, &["-l"], ASK_LIMIT).await.map(|output| output.stdout).unwrap_or_default();
    let home = ground.home();
    let mut rivals = in_crontab(&crontab, &home);
    rivals.extend(in_agents(&home));
    rivals.extend(in_units(&home));
    rivals.extend(in_processes(&arguments_of_user(own_uid())));
    if rivals.is_empty() {
        return finding(Grade::Ok, OwnRemark::NoRivals);
    }
    let mend = rivals.iter().map(|rival| rival.mend.clone()).collect::<Vec<_>>().join("; ");
    let told = rivals.into_iter().map(|Rival { what, place, .. }| (redact(&what).chars().take(SHOWN).collect(), place));
    finding(Grade::Problem, OwnRemark::Rivals(told.collect())).mend(mend)
}

/// Lines that run something against the gateway. One command opens them all.
fn in_crontab(text: &str, home: &Path) -> Vec<Rival> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let found: Vec<&str> = lines.filter(|line| fights(line, home)).collect();
    if found.is_empty() {
        return Vec::new();
    }
    vec![Rival { what: found.join(" · "), place: "crontab".to_owned(), mend: "crontab -e".to_owned() }]
}

/// Launch agents that do. OpenClaw's own agents run the gateway and are none.
fn in_agents(home: &Path) -> Vec<Rival> {
    let found = files(&home.join("Library/LaunchAgents"), "plist").into_iter().filter_map(|file| {
        let value = plist::Value::from_file(&file).ok()?;
        let get = |key: &str| value.as_dictionary().and_then(|dictionary| dictionary.get(key));
        let label = get("Label").and_then(plist::Value::as_string)?.to_owned();
        let words = get("ProgramArguments").and_then(plist::Value::as_array).into_iter().flatten();
        let words: Vec<&str> = words.filter_map(plist::Value::as_string).collect();
        let known = KNOWN_LABELS.iter().find(|(known, _)| *known == label);
        let named = label.contains("openclaw") && NAMES.iter().any(|name| label.contains(name));
        let what = words.join(" ");
        let by_hand = || format!("launchctl bootout gui/$(id -u)/{label} && mv {0} {0}.off", word(&file));
        (known.is_some() || named || fights(&what, home)).then(|| Rival {
            what: format!("{label}: {what}"),
            place: file.display().to_string(),
            mend: known.and_then(|(_, command)| *command).map_or_else(by_hand, str::to_owned),
        })
    });
    found.collect()
}

/// User units of systemd that do.
fn in_units(home: &Path) -> Vec<Rival> {
    let found = files(&home.join(".config/systemd/user"), "service").into_iter().filter_map(|file| {
        let text = read(&file)?;
        let unit = file.file_stem()?.to_string_lossy().into_owned();
        let command = text.lines().find_map(|line| line.trim().strip_prefix("ExecStart="))?;
        let named = unit.contains("openclaw") && NAMES.iter().any(|name| unit.contains(name));
        let timer = file.with_extension("timer");
        let switch = if timer.exists() { format!("{unit}.timer") } else { format!("{unit}.service") };
        (named || fights(command, home)).then(|| Rival {
            what: format!("{unit}: {command}"),
            place: file.display().to_string(),
            mend: format!("systemctl --user disable --now {switch}"),
        })
    });
    found.collect()
}

/// Loops that somebody started and left running.
fn in_processes(commands: &[(u32, Vec<String>)]) -> Vec<Rival> {
    let scripts = commands.iter().filter(|(_, argv)| {
        let program = argv.first().and_then(|program| Path::new(program).file_name()?.to_str());
        matches!(program, Some("sh" | "bash" | "zsh" | "dash" | "python3" | "python" | "watch"))
    });
    let found = scripts.map(|(pid, argv)| (pid, argv.join(" "))).filter(|(_, line)| is_called_watchdog(line));
    let rival = |(pid, what): (&u32, String)| Rival { what, place: format!("pid {pid}"), mend: format!("kill {pid}") };
    found.map(rival).collect()
}

/// Whether a command does something to the gateway, itself or in a script that it names.
fn fights(command: &str, home: &Path) -> bool {
    if does_deed(command) || is_called_watchdog(command) {
        return true;
    }
    let parts = command.split([' ', '"', '\'', ';', '&', '|', '>']);
    let paths = parts.filter_map(|part| {
        let in_home = ["~/", "$HOME/", "${HOME}/"].iter().find_map(|prefix| part.strip_prefix(prefix));
        in_home.map(|rest| home.join(rest)).or_else(|| part.starts_with('/').then(|| PathBuf::from(part)))
    });
    let scripts = paths.filter(|path| !path.to_string_lossy().contains("/openclaw/dist/"));
    scripts.filter_map(|path| read(&path)).any(|text| text.starts_with("#!") && script_fights(&text))
}

/// A script that keeps the label in a variable names it on one line and kicks it on another.
fn script_fights(text: &str) -> bool {
    let lines = || text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    let has = |words: &str| lines().any(|line| line.contains(words));
    lines().any(does_deed) || (has("ai.openclaw.") && has("kickstart"))
}

fn does_deed(command: &str) -> bool {
    command.contains("openclaw") && DEEDS.iter().any(|deed| command.contains(deed))
}

fn is_called_watchdog(command: &str) -> bool {
    command.split_whitespace().any(|part| {
        let name = part.to_ascii_lowercase();
        name.contains("openclaw") && NAMES.iter().any(|watchdog| name.contains(watchdog))
    })
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|known| known == extension)).collect();
    found.sort();
    found
}

/// A small file's text.
fn read(file: &Path) -> Option<String> {
    let file = std::fs::File::open(file).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::sample::Stage;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[tokio::test]
    async fn a_crontab_that_restarts_the_gateway_is_a_problem() {
        let stage = Stage::new();
        assert_eq!(other_watchdogs(&stage.ground()).await.grade, Grade::Ok);
        stage.script(
            "crontab",
            "echo '# openclaw gateway restart'; echo '*/3 * * * * openclaw gateway restart --token=hunter2222'",
        );
        let found = other_watchdogs(&stage.ground()).await;
        assert_eq!((found.grade, found.mend.as_deref()), (Grade::Problem, Some("crontab -e")));
        assert!(!found.sentence.contains("hunter2222"), "{found:?}");
    }

    #[test]
    fn lines_that_only_mention_openclaw_are_none() {
        let home = Path::new("/nowhere");
        for line in
            ["0 3 * * * tar czf /backup/openclaw.tgz ~/.openclaw", "@daily openclaw status --json > /tmp/x", "#x"]
        {
            assert_eq!(in_crontab(line, home), [], "{line}");
        }
        for line in [
            "* * * * * ~/bin/openclaw-watchdog.sh",
            "* * * * * launchctl kickstart -k gui/501/ai.openclaw.gateway",
            "*/2 * * * * systemctl --user restart openclaw-gateway",
            "*/5 * * * * bash $HOME/.openclaw/skills/openclaw-self-healing/scripts/gateway-healthcheck.sh",
        ] {
            assert_eq!(in_crontab(line, home).len(), 1, "{line}");
        }
    }

    #[test]
    fn a_script_is_read_for_what_it_does() {
        let home = tempfile::tempdir().unwrap();
        let script = home.path().join("check.sh");
        let fought = |text: &str| {
            write(&script, text);
            let by_path = format!("*/5 * * * * /bin/bash {} >/dev/null 2>&1", script.display());
            let by_home = in_crontab("*/5 * * * * ~/check.sh", home.path());
            assert_eq!(by_home.is_empty(), in_crontab(&by_path, home.path()).is_empty());
            !by_home.is_empty()
        };
        let calm = "#!/bin/bash\n# openclaw gateway restart would be wrong\ncurl -sf localhost:18789/health\n";
        assert!(!fought(calm));
        assert!(fought("#!/bin/bash\ncurl -sf localhost:18789/health || openclaw gateway restart\n"));
        let label = "#!/bin/bash\nLABEL=ai.openclaw.gateway\nlaunchctl kickstart -k gui/$UID/$LABEL\n";
        assert!(fought(label));
        assert!(!fought("#!/bin/bash\n# ai.openclaw.gateway\nlaunchctl kickstart -k gui/$UID/com.example.sync\n"));
    }

    #[test]
    fn agents_that_fight_are_told_and_openclaws_own_are_not() {
        let home = tempfile::tempdir().unwrap();
        let agents = home.path().join("Library/LaunchAgents");
        let agent = |label: &str, words: &str| {
            let text = format!(
                r#"<?xml version="1.0"?><plist version="1.0"><dict><key>Label</key><string>{label}</string>
                <key>ProgramArguments</key><array>{words}</array></dict></plist>"#
            );
            write(&agents.join(format!("{label}.plist")), &text);
        };
        agent(
            "ai.openclaw.gateway",
            "<string>/usr/bin/node</string><string>/x/openclaw/dist/index.js</string><string>gateway</string>",
        );
        agent("com.example.backup", "<string>/usr/bin/true</string>");
        assert_eq!(in_agents(home.path()), []);
        for (label, _) in KNOWN_LABELS {
            agent(label, "<string>/bin/bash</string><string>/x/check.sh</string>");
        }
        let found = in_agents(home.path());
        let mend = |label: &str| {
            let about = |rival: &&Rival| rival.what.starts_with(&format!("{label}: "));
            found.iter().find(about).map(|rival| rival.mend.clone()).unwrap()
        };
        assert_eq!(found.len(), KNOWN_LABELS.len());
        assert_eq!(mend("com.openclaw.watchdog"), "openclaw-watchdog uninstall");
        let by_hand = mend("com.openclaw.gateway-guard.watcher");
        assert!(
            by_hand.starts_with("launchctl bootout gui/$(id -u)/com.openclaw.gateway-guard.watcher && mv "),
            "{by_hand}"
        );
    }

    #[test]
    fn units_that_fight_are_told_with_their_timer() {
        let home = tempfile::tempdir().unwrap();
        let units = home.path().join(".config/systemd/user");
        write(
            &units.join("openclaw-gateway.service"),
            "[Service]\nExecStart=/usr/bin/node /x/openclaw/dist/index.js gateway --port 18789\n",
        );
        assert_eq!(in_units(home.path()), []);
        write(&units.join("claw-check.service"), "[Service]\nExecStart=/usr/bin/openclaw gateway restart\n");
        write(&units.join("claw-check.timer"), "[Timer]\n");
        assert_eq!(in_units(home.path())[0].mend, "systemctl --user disable --now claw-check.timer");
    }

    #[test]
    fn a_loop_that_runs_is_told_by_its_pid() {
        let words = |pid: u32, line: &str| (pid, line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        let calm = [words(7, "bash /srv/x.sh"), words(8, "vim openclaw-watchdog.sh"), words(9, "openclaw-gateway")];
        assert_eq!(in_processes(&calm), []);
        let found = in_processes(&[words(41, "/bin/bash /Users/kim/openclaw-watchdog.sh")]);
        assert_eq!((found[0].place.as_str(), found[0].mend.as_str()), ("pid 41", "kill 41"));
    }

    #[tokio::test]
    async fn all_that_fights_is_told_each_with_its_way_out() {
        let stage = Stage::new();
        stage.script("crontab", "echo '*/3 * * * * openclaw gateway restart'");
        let unit = stage.home().join(".config/systemd/user/openclaw-watchdog.service");
        write(&unit, "[Service]\nExecStart=/bin/bash /x/check.sh\n");
        let found = other_watchdogs(&stage.ground()).await;
        let mend = "crontab -e; systemctl --user disable --now openclaw-watchdog.service";
        assert!(found.mend.as_deref().unwrap().starts_with(mend), "{found:?}");
        assert!(found.sentence.starts_with("These restart the gateway too"), "{found:?}");
    }
}
