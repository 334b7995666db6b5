//! Reading what `launchctl` answers. Its manual says that this "is NOT API in any sense at all": whatever is not
//! known word for word is unknown, never "stopped".

use std::collections::HashMap;

/// What launchd says of a loaded job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    pub(in crate::service) state: String,
    pub(in crate::service) pid: Option<u32>,
    /// `78: EX_CONFIG`, `0`, `(never exited)`; launchd replaces it by the signal that ended the job.
    pub(in crate::service) last_exit: Option<String>,
    /// Why launchd holds a start back: `speculative`, `inefficient`, `semaphore`.
    pub(in crate::service) held_back: Option<String>,
    /// launchd keeps it alive.
    pub(in crate::service) keep_alive: bool,
    /// Seconds between two starts.
    pub(in crate::service) throttle: Option<u64>,
    /// Seconds from SIGTERM to SIGKILL when it is unloaded.
    pub(in crate::service) exit_time_out: Option<u64>,
    /// How often launchd has started it since it was loaded.
    pub(in crate::service) runs: Option<u64>,
}

impl Job {
    /// The last exit code, if the job ended by itself.
    pub(in crate::service) fn exit_code(&self) -> Option<i32> {
        self.last_exit.as_ref()?.split(':').next()?.trim().parse().ok()
    }

    /// It does not run, and launchd is about to start it.
    pub(in crate::service) fn is_scheduled(&self) -> bool {
        self.pid.is_none() && matches!(self.state.as_str(), "spawn scheduled" | "xpcproxy")
    }

    /// Its state is one of those that have been seen.
    fn is_known(&self) -> bool {
        self.is_scheduled()
            || matches!(
                (self.state.as_str(), self.pid),
                ("running" | "xpcproxy", Some(_)) | ("not running" | "waiting", None)
            )
    }
}

/// Reads `launchctl print`; `None` if the answer is not about `target`, or in words never seen.
///
/// Only lines with exactly one tab belong to the job itself: nested blocks have lines of the same names. The first
/// line of a name counts.
#[must_use]
pub fn parse_print(text: &str, target: &str) -> Option<Job> {
    let mut lines = text.lines();
    let head = lines.find(|line| !line.trim().is_empty())?;
    if head.trim() != format!("{target} = {{") {
        return None;
    }
    let mut job = Job::default();
    let mut seen = std::collections::HashSet::new();
    for line in lines {
        let Some(line) = line.strip_prefix('\t').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
        else {
            continue;
        };
        let Some((name, value)) = line.split_once(" = ") else { continue };
        if !seen.insert(name) {
            continue;
        }
        let value = value.trim();
        match name {
            "state" => value.clone_into(&mut job.state),
            "pid" => job.pid = value.parse().ok(),
            "last exit code" | "last terminating signal" => job.last_exit = Some(value.to_owned()),
            "pended nondemand spawn" if value != "false" => job.held_back = Some(value.to_owned()),
            "properties" => job.keep_alive = value.split('|').any(|word| word.trim() == "keepalive"),
            "minimum runtime" => job.throttle = value.parse().ok(),
            "exit timeout" => job.exit_time_out = value.parse().ok(),
            "runs" => job.runs = value.parse().ok(),
            _ => {}
        }
    }
    Some(job).filter(Job::is_known)
}

/// Reads `launchctl list LABEL`, the older list that Apple keeps stable; `None` if the answer is not about `label`.
///
/// It tells less: of a job that is kept alive and does not run, not whether its start is scheduled or held back. It is
/// taken to be scheduled: if it is not, launchd's patience will tell.
#[must_use]
pub fn parse_list(text: &str, label: &str) -> Option<Job> {
    let lines = text.lines().filter_map(|line| line.strip_prefix('\t')?.strip_prefix('"')?.strip_suffix(';'));
    let values: HashMap<&str, &str> = lines.filter_map(|line| line.split_once("\" = ")).collect();
    if values.get("Label")?.trim_matches('"') != label {
        return None;
    }
    let pid: Option<u32> = values.get("PID").and_then(|pid| pid.parse().ok());
    let keep_alive = values.get("OnDemand").is_some_and(|value| *value == "false");
    let state = match (pid, keep_alive) {
        (Some(_), _) => "running",
        (None, true) => "spawn scheduled",
        (None, false) => "not running",
    };
    let last_exit = values.get("LastExitStatus").and_then(|status| status.parse().ok()).map(|status: i32| {
        // The status of wait(2).
        match status & 0x7f {
            0 => (status >> 8).to_string(),
            signal => format!("signal {signal}"),
        }
    });
    Some(Job { state: state.to_owned(), pid, last_exit, keep_alive, ..Job::default() })
}

/// Reads `launchctl print-disabled gui/UID`: whether the label is switched off; `None` if it is not listed, or in
/// words never seen.
#[must_use]
pub fn parse_disabled(text: &str, label: &str) -> Option<bool> {
    let quoted = format!("\"{label}\"");
    let (_, value) =
        text.lines().filter_map(|line| line.trim().split_once(" => ")).find(|(name, _)| *name == quoted)?;
    match value.trim() {
        "disabled" | "true" => Some(true),
        "enabled" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TARGET: &str = "gui/501/ai.openclaw.gateway";

    const RUNNING: &str = "gui/501/ai.openclaw.gateway = {
\tactive count = 1
\tpath = /Users/me/Library/LaunchAgents/ai.openclaw.gateway.plist
\ttype = LaunchAgent
\tstate = running

\tprogram = /bin/sh
\targuments = {
\t\t/bin/sh
\t\tstate = not running
\t}

\tstdout path = /Users/me/Library/Logs/openclaw/gateway.log
\tdomain = gui/501 [asid 100005]
\tminimum runtime = 10
\texit timeout = 20
\truns = 3
\tpid = 855
\timmediate reason = inefficient
\tlast terminating signal = Terminated: 15

\tresource coalition = {
\t\tID = 1234
\t\tstate = active
\t\tpid = 1
\t}

\tjob state = running
\tstate = exited
\tproperties = keepalive | runatload | inferred program
}
";

    #[test]
    fn a_running_job() {
        let job = parse_print(RUNNING, TARGET).unwrap();
        assert_eq!((job.state.as_str(), job.pid, job.throttle), ("running", Some(855), Some(10)));
        assert_eq!(job.last_exit.as_deref(), Some("Terminated: 15"));
        assert_eq!((job.runs, job.exit_time_out), (Some(3), Some(20)));
        assert!(job.keep_alive && job.held_back.is_none());
    }

    #[test]
    fn an_answer_about_another_job_is_no_answer() {
        assert_eq!(parse_print(RUNNING, "gui/501/ai.openclaw.gateway-work"), None);
        assert_eq!(parse_print(RUNNING, "gui/501/ai.openclaw"), None);
        assert_eq!(parse_print("", TARGET), None);
        assert_eq!(parse_print("Bad request.\nCould not find service", TARGET), None);
    }

    #[test]
    fn a_start_that_launchd_holds_back() {
        let text = "gui/501/a = {\n\tstate = not running\n\truns = 0\n\tlast exit code = (never exited)\n\tpended nondemand spawn = speculative\n\tproperties = keepalive | runatload\n}\n";
        let job = parse_print(text, "gui/501/a").unwrap();
        assert_eq!(job.held_back.as_deref(), Some("speculative"));
        assert_eq!((job.pid, job.last_exit.as_deref()), (None, Some("(never exited)")));
    }

    #[test]
    fn a_state_that_was_never_seen_is_no_answer() {
        let told = |rest: &str| parse_print(&format!("gui/501/a = {{\n{rest}}}\n"), "gui/501/a");
        assert_eq!(told("\tstate = dreaming\n"), None);
        assert_eq!(told("\tstate = running\n"), None, "without a process");
        assert_eq!(told("\tstate = not running\n\tpid = 7\n"), None);
        assert_eq!(told(""), None);
        assert!(told("\tstate = spawn scheduled\n").unwrap().is_scheduled());
        assert!(!told("\tstate = xpcproxy\n\tpid = 7\n").unwrap().is_scheduled());
    }

    #[test]
    fn the_older_list() {
        let list =
            |rest: &str| format!("{{\n\t\"Label\" = \"ai.openclaw.gateway\";\n\t\"OnDemand\" = false;\n{rest}}};\n");
        let of = |rest: &str| parse_list(&list(rest), "ai.openclaw.gateway").unwrap();
        let running = of("\t\"LastExitStatus\" = 15;\n\t\"PID\" = 855;\n");
        assert_eq!((running.state.as_str(), running.pid), ("running", Some(855)));
        assert_eq!((running.last_exit.as_deref(), running.exit_code()), (Some("signal 15"), None));
        let ended = of("\t\"LastExitStatus\" = 256;\n");
        assert!(ended.is_scheduled() && ended.keep_alive);
        assert_eq!(ended.exit_code(), Some(1));
        assert_eq!(parse_list(&list(""), "ai.openclaw"), None);
        assert_eq!(parse_list("Could not find service", "ai.openclaw.gateway"), None);
    }

    #[test]
    fn disabled_labels() {
        let text = "\n\tdisabled services = {\n\t\t\"ai.openclaw.gateway-work\" => disabled\n\t\t\"ai.openclaw.gateway\" => enabled\n\t\t\"com.example.old\" => true\n\t\t\"com.example.odd\" => perhaps\n\t}\n";
        assert_eq!(parse_disabled(text, "ai.openclaw.gateway"), Some(false));
        assert_eq!(parse_disabled(text, "ai.openclaw.gateway-work"), Some(true));
        assert_eq!(parse_disabled(text, "com.example.old"), Some(true));
        assert_eq!(parse_disabled(text, "com.example.odd"), None);
        assert_eq!(parse_disabled(text, "ai.openclaw"), None);
    }

    proptest! {
        #[test]
        fn any_output_is_read(
            text in "(\t|[a-z]{1,6} = |state = |pid = |\\{|\\}|\"|;|=>|[0-9]{1,25}|\n|.){0,60}",
            noise in any::<Vec<u8>>(),
        ) {
            for text in [text, String::from_utf8_lossy(&noise).into_owned()] {
                let whole = format!("gui/501/ai.openclaw.gateway = {{\n{text}\n}}\n");
                for text in [text, whole] {
                    if let Some(job) = parse_print(&text, "gui/501/ai.openclaw.gateway") {
                        let _ = (job.is_scheduled(), job.exit_code());
                    }
                    if let Some(job) = parse_list(&text, "ai.openclaw.gateway") {
                        let _ = (job.is_scheduled(), job.exit_code());
                    }
                    let _ = parse_disabled(&text, "ai.openclaw.gateway");
                }
            }
        }
    }
}
