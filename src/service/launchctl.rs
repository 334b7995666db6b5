//! Reading what `launchctl` prints. Its manual says that this "is NOT API in any sense at all": whatever is not
//! known word for word is unknown, never "stopped".

use std::path::PathBuf;

/// What `launchctl print gui/UID/LABEL` says of a loaded job.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) state: String,
    pub(super) pid: Option<u32>,
    /// Path of its plist.
    pub(super) path: Option<PathBuf>,
    pub(super) stdout: Option<PathBuf>,
    /// `78: EX_CONFIG`, `0`, `(never exited)`; launchd replaces it by the signal that ended the job.
    pub(super) last_exit: Option<String>,
    /// Why launchd holds a start back: `speculative`, `inefficient`, `semaphore`.
    pub(super) held_back: Option<String>,
    /// launchd keeps it alive.
    pub(super) keep_alive: bool,
    /// Seconds between two starts.
    pub(super) throttle: Option<u64>,
}

impl Job {
    /// The last exit code, if the job ended by itself.
    pub(super) fn exit_code(&self) -> Option<i32> {
        self.last_exit.as_ref()?.split(':').next()?.trim().parse().ok()
    }
}

/// Reads `launchctl print`; `None` if the answer is not about `target`.
///
/// Only lines with exactly one tab belong to the job itself: nested blocks have lines of the same names. The first
/// line of a name counts.
pub(super) fn parse_print(text: &str, target: &str) -> Option<Job> {
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
            "path" => job.path = Some(PathBuf::from(value)),
            "stdout path" => job.stdout = Some(PathBuf::from(value)),
            "last exit code" | "last terminating signal" => job.last_exit = Some(value.to_owned()),
            "pended nondemand spawn" if value != "false" => job.held_back = Some(value.to_owned()),
            "properties" => job.keep_alive = value.split('|').any(|word| word.trim() == "keepalive"),
            "minimum runtime" => job.throttle = value.parse().ok(),
            _ => {}
        }
    }
    Some(job)
}

/// Reads `launchctl print-disabled gui/UID`: whether the label is switched off; `None` if it is not listed, or in
/// words never seen.
pub(super) fn parse_disabled(text: &str, label: &str) -> Option<bool> {
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
        assert_eq!(job.stdout, Some(PathBuf::from("/Users/me/Library/Logs/openclaw/gateway.log")));
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
    fn disabled_labels() {
        let text = "\n\tdisabled services = {\n\t\t\"ai.openclaw.gateway-work\" => disabled\n\t\t\"ai.openclaw.gateway\" => enabled\n\t\t\"com.example.old\" => true\n\t\t\"com.example.odd\" => perhaps\n\t}\n";
        assert_eq!(parse_disabled(text, "ai.openclaw.gateway"), Some(false));
        assert_eq!(parse_disabled(text, "ai.openclaw.gateway-work"), Some(true));
        assert_eq!(parse_disabled(text, "com.example.old"), Some(true));
        assert_eq!(parse_disabled(text, "com.example.odd"), None);
        assert_eq!(parse_disabled(text, "ai.openclaw"), None);
    }
}
