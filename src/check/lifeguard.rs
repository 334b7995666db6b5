//! Lifeguard itself: its configuration, its history, its clock, and the one that runs.

use std::time::Duration;

use super::{Finding, Ground, Running, word};
use crate::history::{self, Examination};
use crate::platform::clock;
use crate::service::command::run;
use crate::text::check::own::OwnRemark;
use crate::text::check::{Grade, Subject};

/// Limit for a question to the system.
const ASK_LIMIT: Duration = Duration::from_secs(3);

/// This program did not exist before: 2026-01-01T00:00:00Z, in Unix milliseconds.
const MADE: i64 = 1_767_225_600_000;

/// A history that is larger has outgrown its bounds: bytes.
const LARGE_HISTORY: u64 = 500 * 1024 * 1024;

pub(super) fn config_file(ground: &Ground<'_>) -> Finding {
    let file = &ground.paths.config_file;
    match &ground.config {
        Ok(_) if !file.exists() => ground.finding(Subject::ConfigFile, Grade::Ok, &OwnRemark::NoConfig),
        Ok(_) => ground.finding(Subject::ConfigFile, Grade::Ok, &OwnRemark::ConfigGood(file.display().to_string())),
        Err(problem) => ground
            .finding(Subject::ConfigFile, Grade::Problem, &OwnRemark::ConfigBad(problem.clone()))
            .mend(format!("${{EDITOR:-vi}} {}", word(file))),
    }
}

pub(super) fn history(ground: &Ground<'_>) -> Finding {
    let finding = |grade, remark| ground.finding(Subject::History, grade, &remark);
    match history::examine(&ground.paths.state_dir) {
        Examination::Missing => finding(Grade::Skipped, OwnRemark::NoHistory),
        Examination::Whole { size } if size > LARGE_HISTORY => {
            let file = ground.paths.state_dir.join(history::FILE);
            finding(Grade::Warning, OwnRemark::HistoryLarge(size)).mend(format!("sqlite3 {} VACUUM", word(&file)))
        }
        Examination::Whole { size } => finding(Grade::Ok, OwnRemark::HistoryGood(size)),
        Examination::Bad(reason) => finding(Grade::Problem, OwnRemark::HistoryBad(reason)).mend(start_anew(ground)),
    }
}

pub(super) async fn clock(ground: &Ground<'_>) -> Finding {
    let now = clock::wall();
    if now < MADE {
        let shown = jiff::Timestamp::from_millisecond(now).unwrap_or_default().strftime("%Y-%m-%d").to_string();
        let finding = ground.finding(Subject::Clock, Grade::Problem, &OwnRemark::ClockBehind(shown));
        return finding.mend(set_clock());
    }
    // Where nobody can be asked, nothing is known to be wrong.
    let asked = run(&ground.tools.timedatectl, &["show", "--property=NTPSynchronized", "--value"], ASK_LIMIT).await;
    match asked {
        Ok(output) if output.stdout.trim() == "no" => {
            ground.finding(Subject::Clock, Grade::Warning, &OwnRemark::ClockAlone).mend(set_clock())
        }
        Ok(_) | Err(_) => ground.finding(Subject::Clock, Grade::Ok, &OwnRemark::ClockGood),
    }
}

fn set_clock() -> &'static str {
    if cfg!(target_os = "macos") { "sudo systemsetup -setusingnetworktime on" } else { "sudo timedatectl set-ntp true" }
}

pub(super) fn running(ground: &Ground<'_>) -> Finding {
    let finding = |grade, remark| ground.finding(Subject::Running, grade, &remark);
    match &ground.running {
        Running::Answers(_) => finding(Grade::Ok, OwnRemark::Answers),
        Running::No => finding(Grade::Warning, OwnRemark::NotRunning).mend("lifeguard"),
        Running::Silent(cause) => {
            finding(Grade::Problem, OwnRemark::Silent(cause.clone())).mend("lifeguard logs watchdog")
        }
    }
}

pub(super) fn version(ground: &Ground<'_>) -> Finding {
    let own = env!("CARGO_PKG_VERSION").to_owned();
    let finding = |grade, remark| ground.finding(Subject::Version, grade, &remark);
    match &ground.running {
        Running::Answers(snapshot) if snapshot.lifeguard_version == own => {
            finding(Grade::Ok, OwnRemark::SameVersion(own))
        }
        Running::Answers(snapshot) => {
            let running = snapshot.lifeguard_version.clone();
            finding(Grade::Warning, OwnRemark::OtherVersion { own, running }).mend(start_anew(ground))
        }
        Running::No | Running::Silent(_) => finding(Grade::Skipped, OwnRemark::NotRunning),
    }
}

/// The command that ends the Lifeguard that runs, in order, and starts this one.
fn start_anew(ground: &Ground<'_>) -> String {
    let holder =
        std::fs::read_to_string(ground.paths.lock_file()).ok().and_then(|text| text.trim().parse::<u32>().ok());
    match (&ground.running, holder) {
        (Running::Answers(_), Some(pid)) => format!("kill {pid}; lifeguard"),
        _ => "lifeguard".to_owned(),
    }
}

pub(super) fn undelivered(ground: &Ground<'_>) -> Finding {
    let finding = |grade, remark| ground.finding(Subject::Undelivered, grade, &remark);
    let Running::Answers(snapshot) = &ground.running else {
        return finding(Grade::Skipped, OwnRemark::NotRunning);
    };
    let troubled = snapshot.channels.iter().find_map(|channel| Some((channel.name.clone(), channel.problem.clone()?)));
    match troubled {
        None => finding(Grade::Ok, OwnRemark::AllDelivered),
        Some((name, problem)) => {
            let mend = format!("lifeguard alerts test {name}");
            finding(Grade::Problem, OwnRemark::ChannelTrouble(name, problem)).mend(mend)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::sample::Stage;
    use crate::snapshot::ChannelSnapshot;

    #[test]
    fn a_configuration_is_good_missing_or_bad() {
        let stage = Stage::new();
        assert_eq!(config_file(&stage.ground()).sentence, "There is no file; the defaults hold.");
        std::fs::write(&stage.paths.config_file, "language = \"en\"").unwrap();
        assert_eq!(config_file(&stage.ground()).grade, Grade::Ok);
        let bad = config_file(&Ground { config: Err("line 1".to_owned()), ..stage.ground() });
        assert_eq!((bad.grade, bad.sentence.as_str()), (Grade::Problem, "line 1"));
        assert!(bad.mend.unwrap().starts_with("${EDITOR:-vi} /"));
    }

    #[test]
    fn a_history_is_missing_whole_or_damaged() {
        let stage = Stage::new();
        assert_eq!(history(&stage.ground()).grade, Grade::Skipped);
        let now = crate::supervisor::moment::Moment { awake: 1, elapsed: 1, wall: 1 };
        drop(history::History::open(&stage.paths.state_dir, None, now).unwrap());
        assert_eq!(history(&stage.ground()).grade, Grade::Ok);
        let file = stage.paths.state_dir.join(history::FILE);
        std::fs::write(file, "this is no database, but it is long enough to be one".repeat(40)).unwrap();
        let bad = history(&stage.ground());
        assert_eq!((bad.grade, bad.mend.as_deref()), (Grade::Problem, Some("lifeguard")));
    }

    #[tokio::test]
    async fn a_clock_that_nobody_sets_is_a_warning() {
        let stage = Stage::new();
        assert_eq!(clock(&stage.ground()).await.grade, Grade::Ok);
        stage.script("timedatectl", "echo no");
        let alone = clock(&stage.ground()).await;
        assert_eq!(alone.grade, Grade::Warning);
        assert!(alone.mend.unwrap().starts_with("sudo "));
    }

    #[test]
    fn a_lifeguard_runs_is_silent_or_is_not_there() {
        let stage = Stage::new();
        let of = |running| super::running(&Ground { running, ..stage.ground() });
        assert_eq!(of(Stage::answers()).grade, Grade::Ok);
        assert_eq!(of(Running::No).mend.as_deref(), Some("lifeguard"));
        let silent = of(Running::Silent("no answer".to_owned()));
        assert_eq!((silent.grade, silent.mend.as_deref()), (Grade::Problem, Some("lifeguard logs watchdog")));
    }

    #[test]
    fn another_version_that_runs_is_told_with_its_process() {
        let stage = Stage::new();
        let ground = Ground { running: Stage::answers(), ..stage.ground() };
        assert_eq!(version(&ground).grade, Grade::Ok);
        let Running::Answers(mut snapshot) = Stage::answers() else { panic!() };
        "9.9.9".clone_into(&mut snapshot.lifeguard_version);
        std::fs::write(stage.paths.lock_file(), "4711\n").unwrap();
        let other = version(&Ground { running: Running::Answers(snapshot), ..stage.ground() });
        assert_eq!((other.grade, other.mend.as_deref()), (Grade::Warning, Some("kill 4711; lifeguard")));
        assert_eq!(version(&Ground { running: Running::No, ..stage.ground() }).grade, Grade::Skipped);
    }

    #[test]
    fn a_channel_that_does_not_deliver_is_a_problem() {
        let stage = Stage::new();
        assert_eq!(undelivered(&Ground { running: Stage::answers(), ..stage.ground() }).grade, Grade::Ok);
        let Running::Answers(mut snapshot) = Stage::answers() else { panic!() };
        snapshot.channels.push(ChannelSnapshot {
            name: "discord".to_owned(),
            problem: Some("It said no.".to_owned()),
            ..ChannelSnapshot::default()
        });
        let bad = undelivered(&Ground { running: Running::Answers(snapshot), ..stage.ground() });
        assert_eq!((bad.grade, bad.sentence.as_str()), (Grade::Problem, "discord: It said no."));
        assert_eq!(bad.mend.as_deref(), Some("lifeguard alerts test discord"));
    }
}
