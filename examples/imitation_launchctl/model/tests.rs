//! The imitation against what is known of the real one, in virtual time.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the way to fail")]

use super::*;

const LABEL: &str = "ai.openclaw.gateway";
const TARGET: &str = "gui/501/ai.openclaw.gateway";

struct World {
    launchd: Launchd,
    now: Duration,
    pids: u32,
    keep_alive: &'static str,
}

impl World {
    fn new(keep_alive: &'static str) -> Self {
        Self { launchd: Launchd::new(501), now: Duration::from_secs(1000), pids: 100, keep_alive }
    }

    fn call(&mut self, words: &[&str]) -> Answer {
        let keep_alive = self.keep_alive;
        let read = |path: &Path| {
            let label = path.file_stem()?.to_str()?;
            let text = format!(
                "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>Label</key><string>{label}</string>\
                 <key>ProgramArguments</key><array><string>/bin/sh</string></array>\
                 <key>ThrottleInterval</key><integer>10</integer><key>KeepAlive</key>{keep_alive}</dict></plist>"
            );
            plist::from_bytes(text.as_bytes()).ok()
        };
        let answer = self.launchd.call(self.now, words, &read);
        self.follow();
        answer
    }

    fn load(&mut self) -> Answer {
        self.call(&["bootstrap", "gui/501", "/a/ai.openclaw.gateway.plist"])
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.launchd.tick(self.now);
        self.follow();
    }

    fn end(&mut self, end: End) {
        let Phase::Running(pid) = self.launchd.jobs[LABEL].phase else { panic!("it does not run") };
        self.launchd.ended(self.now, pid, end);
        self.follow();
    }

    /// Every start works at once.
    fn follow(&mut self) {
        for wish in self.launchd.take_wishes() {
            if let Wish::Start(label) = wish {
                self.pids += 1;
                self.launchd.started(self.now, &label, Some(self.pids));
            }
        }
    }

    fn line(&mut self, name: &str) -> Option<String> {
        let text = self.call(&["print", TARGET]).stdout;
        let own = text.lines().filter_map(|line| line.strip_prefix('\t'));
        own.filter_map(|line| line.split_once(" = "))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.to_owned())
    }
}

#[test]
fn a_job_that_is_kept_alive_comes_back_after_its_throttle() {
    let mut world = World::new("<true/>");
    assert_eq!(world.call(&["print", TARGET]).code, 113);
    assert_eq!(world.load().code, 0);
    assert_eq!((world.line("state").unwrap().as_str(), world.line("runs").unwrap().as_str()), ("running", "1"));
    world.pass(4);
    world.end(End::Code(1));
    assert_eq!(world.line("state").unwrap(), "spawn scheduled");
    assert_eq!(world.line("last exit code").unwrap(), "1");
    world.pass(5);
    assert_eq!(world.line("state").unwrap(), "spawn scheduled");
    world.pass(1);
    assert_eq!((world.line("state").unwrap().as_str(), world.line("pid").unwrap().as_str()), ("running", "102"));
    world.pass(60);
    world.end(End::Signal(15));
    assert_eq!(world.line("last terminating signal").unwrap(), "Terminated: 15");
    assert_eq!(world.line("last exit code"), None);
    assert_eq!(world.line("runs").unwrap(), "3");
}

#[test]
fn a_job_that_is_kept_alive_on_failure_stays_down_after_success() {
    let mut world = World::new("<dict><key>SuccessfulExit</key><false/></dict>");
    world.load();
    world.end(End::Code(0));
    assert_eq!(world.line("state").unwrap(), "not running");
    world.call(&["kickstart", TARGET]);
    world.pass(10);
    world.end(End::Code(2));
    assert_eq!(world.line("state").unwrap(), "spawn scheduled");
}

#[test]
fn the_code_for_everything() {
    let mut world = World::new("<true/>");
    world.call(&["disable", TARGET]);
    let refused = world.load();
    assert_eq!((refused.code, refused.stderr.as_str()), (5, "Bootstrap failed: 5: Input/output error\n"));
    assert!(world.call(&["print-disabled", "gui/501"]).stdout.contains("\t\t\"ai.openclaw.gateway\" => disabled\n"));
    world.call(&["enable", TARGET]);
    assert_eq!(world.load().code, 0);
    assert_eq!(world.load().code, 5, "it is loaded already");
}

#[test]
fn a_job_that_is_unloaded_leaves_when_its_process_has_ended() {
    let mut world = World::new("<true/>");
    let refused = world.call(&["bootout", TARGET]);
    assert_eq!((refused.code, refused.stderr.as_str()), (3, "Boot-out failed: 3: No such process\n"));
    world.load();
    assert_eq!(world.call(&["bootout", TARGET]).code, 0);
    assert_eq!(world.call(&["bootout", TARGET]).code, 36);
    assert_eq!(world.load().code, 5, "it is still leaving");
    world.pass(19);
    assert_eq!(world.call(&["print", TARGET]).code, 0);
    world.end(End::Signal(15));
    assert_eq!(world.call(&["print", TARGET]).code, 113);
    assert_eq!(world.load().code, 0);
}

#[test]
fn a_process_that_ignores_its_end_is_killed_once() {
    let mut world = World::new("<true/>");
    world.load();
    world.call(&["bootout", TARGET]);
    world.now += Duration::from_secs(20);
    world.launchd.tick(world.now);
    world.launchd.tick(world.now);
    assert_eq!(world.launchd.take_wishes(), [Wish::Kill(101)]);
}

#[test]
fn a_start_that_is_held_back_waits_for_a_kickstart() {
    let mut world = World::new("<true/>");
    world.launchd.imitate(&["hold-back", "inefficient"]);
    world.load();
    world.pass(3600);
    assert_eq!(world.line("state").unwrap(), "not running");
    assert_eq!(world.line("pended nondemand spawn").unwrap(), "inefficient");
    assert_eq!(world.line("last exit code").unwrap(), "(never exited)");
    world.call(&["kickstart", TARGET]);
    assert_eq!(world.line("state").unwrap(), "running");
    assert_eq!(world.line("pended nondemand spawn"), None);
}

#[test]
fn labels_are_whole_and_the_domain_may_be_gone() {
    let mut world = World::new("<true/>");
    world.call(&["bootstrap", "gui/501", "/a/ai.openclaw.gateway.work.plist"]);
    assert_eq!(world.call(&["print", TARGET]).code, 113);
    assert_eq!(world.call(&["list", LABEL]).code, 113);
    world.launchd.imitate(&["domain", "gone"]);
    assert_eq!(world.call(&["print", TARGET]).code, 112);
    assert_eq!(world.load().code, 125);
}

#[test]
fn the_older_list_tells_the_status_of_wait() {
    let mut world = World::new("<true/>");
    world.load();
    let running = world.call(&["list", LABEL]).stdout;
    assert!(running.contains("\t\"PID\" = 101;\n") && running.contains("\t\"OnDemand\" = false;\n"), "{running}");
    world.end(End::Code(1));
    let ended = world.call(&["list", LABEL]).stdout;
    assert!(ended.contains("\t\"LastExitStatus\" = 256;\n") && !ended.contains("PID"), "{ended}");
}

#[test]
fn a_refusal_that_was_arranged_comes_as_often_as_that() {
    let mut world = World::new("<true/>");
    world.launchd.imitate(&["refuse", "bootstrap", "37", "2"]);
    assert_eq!(world.load().stderr, "Bootstrap failed: 37: Operation already in progress\n");
    assert_eq!(world.load().code, 37);
    assert_eq!(world.load().code, 0);
    assert_eq!(world.call(&["kickstart", "-k", TARGET]).code, 64);
}
