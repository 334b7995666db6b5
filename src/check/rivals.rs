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
const DEEDS: [&str; 6] = ["gateway restart", "gateway start", "gateway stop", "kickstart", "pkill", "killall"];

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
    let found = [in_crontab(&crontab), in_agents(&home), in_units(&home), in_processes(&arguments_of_user(own_uid()))];
    match found.into_iter().flatten().next() {
        None => finding(Grade::Ok, OwnRemark::NoRivals),
        Some(Rival { what, place, mend }) => {
            let what = redact(&what).chars().take(SHOWN).collect();
            finding(Grade::Problem, OwnRemark::Rival { what, place }).mend(mend)
        }
    }
}

/// A line that runs something against the gateway.
fn in_crontab(text: &str) -> Option<Rival> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.into_iter().find(|line| fights(line))?;
    Some(Rival { what: line.to_owned(), place: "crontab".to_owned(), mend: "crontab -e".to_owned() })
}

/// A launch agent that does. OpenClaw's own agents run the gateway and are none.
fn in_agents(home: &Path) -> Option<Rival> {
    files(&home.join("Library/LaunchAgents"), "plist").into_iter().find_map(|file| {
        let value = plist::Value::from_file(&file).ok()?;
        let get = |key: &str| value.as_dictionary().and_then(|dictionary| dictionary.get(key));
        let label = get("Label").and_then(plist::Value::as_string)?.to_owned();
        let words = get("ProgramArguments").and_then(plist::Value::as_array).into_iter().flatten();
        let words: Vec<&str> = words.filter_map(plist::Value::as_string).collect();
        let named = label.contains("openclaw") && NAMES.iter().any(|name| label.contains(name));
        let what = words.join(" ");
        (named || fights(&what)).then(|| Rival {
            what: format!("{label}: {what}"),
            place: file.display().to_string(),
            mend: format!("launchctl bootout gui/$(id -u)/{label} && mv {0} {0}.off", word(&file)),
        })
    })
}

/// A user unit of systemd that does.
fn in_units(home: &Path) -> Option<Rival> {
    files(&home.join(".config/systemd/user"), "service").into_iter().find_map(|file| {
        let text = read(&file)?;
        let unit = file.file_stem()?.to_string_lossy().into_owned();
        let command = text.lines().find_map(|line| line.trim().strip_prefix("ExecStart="))?;
        let named = unit.contains("openclaw") && NAMES.iter().any(|name| unit.contains(name));
        let timer = file.with_extension("timer");
        let switch = if timer.exists() { format!("{unit}.timer") } else { format!("{unit}.service") };
        (named || fights(command)).then(|| Rival {
            what: format!("{unit}: {command}"),
            place: file.display().to_string(),
            mend: format!("systemctl --user disable --now {switch}"),
        })
    })
}

/// A loop that somebody started and left running.
fn in_processes(commands: &[Vec<String>]) -> Option<Rival> {
    let scripts = commands.iter().filter(|argv| {
        let program = argv.first().and_then(|program| Path::new(program).file_name()?.to_str());
        matches!(program, Some("sh" | "bash" | "zsh" | "dash" | "python3" | "python" | "watch"))
    });
    let what = scripts.map(|argv| argv.join(" ")).find(|line| is_called_watchdog(line))?;
    let mend = "pkill -f 'openclaw.*watchdog'   # once you have looked: pgrep -fl openclaw";
    Some(Rival { what, place: "process".to_owned(), mend: mend.to_owned() })
}

/// Whether a command does something to the gateway, itself or in a script that it names.
fn fights(command: &str) -> bool {
    if does_deed(command) || is_called_watchdog(command) {
        return true;
    }
    let paths = command.split([' ', '"', '\'', ';', '&', '|', '>']).filter(|part| part.starts_with('/'));
    paths.filter(|path| !path.contains("/openclaw/dist/")).filter_map(|path| read(Path::new(path))).any(|text| {
        text.starts_with("#!") && text.lines().any(|line| !line.trim_start().starts_with('#') && does_deed(line))
    })
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
        for line in
            ["0 3 * * * tar czf /backup/openclaw.tgz ~/.openclaw", "@daily openclaw status --json > /tmp/x", "#x"]
        {
            assert_eq!(in_crontab(line), None, "{line}");
        }
        for line in
            ["* * * * * ~/bin/openclaw-watchdog.sh", "* * * * * launchctl kickstart -k gui/501/ai.openclaw.gateway"]
        {
            assert!(in_crontab(line).is_some(), "{line}");
        }
    }

    #[test]
    fn a_script_is_read_for_what_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("check.sh");
        let line = format!("*/5 * * * * /bin/bash {} >/dev/null 2>&1", script.display());
        write(&script, "#!/bin/bash\n# openclaw gateway restart would be wrong\ncurl -sf localhost:18789/health\n");
        assert_eq!(in_crontab(&line), None);
        write(&script, "#!/bin/bash\ncurl -sf localhost:18789/health || openclaw gateway restart\n");
        assert!(in_crontab(&line).is_some());
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
        assert_eq!(in_agents(home.path()), None);
        agent("ai.openclaw.watchdog", "<string>/bin/bash</string><string>/x/check.sh</string>");
        let found = in_agents(home.path()).unwrap();
        assert!(found.mend.starts_with("launchctl bootout gui/$(id -u)/ai.openclaw.watchdog && mv "), "{found:?}");
    }

    #[test]
    fn units_that_fight_are_told_with_their_timer() {
        let home = tempfile::tempdir().unwrap();
        let units = home.path().join(".config/systemd/user");
        write(
            &units.join("openclaw-gateway.service"),
            "[Service]\nExecStart=/usr/bin/node /x/openclaw/dist/index.js gateway --port 18789\n",
        );
        assert_eq!(in_units(home.path()), None);
        write(&units.join("claw-check.service"), "[Service]\nExecStart=/usr/bin/openclaw gateway restart\n");
        write(&units.join("claw-check.timer"), "[Timer]\n");
        assert_eq!(in_units(home.path()).unwrap().mend, "systemctl --user disable --now claw-check.timer");
    }

    #[test]
    fn a_loop_that_runs_is_told() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let calm = [words("bash /srv/x.sh"), words("vim openclaw-watchdog.sh"), words("openclaw-gateway")];
        assert_eq!(in_processes(&calm), None);
        assert!(in_processes(&[words("/bin/bash /Users/kim/openclaw-watchdog.sh")]).is_some());
    }
}
