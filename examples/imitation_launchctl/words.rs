//! launchctl's own words and codes. Sources: `launchctl(1)`, and outputs in public issues and code.

use std::fmt::Write as _;

use super::model::{Answer, End, Launchd, Phase};

pub(crate) fn usage() -> Answer {
    Answer::no(64, "Usage: launchctl <subcommand> ... | help [subcommand]\n".to_owned())
}

pub(crate) fn no_domain(uid: u32) -> Answer {
    Answer::no(112, format!("Bad request.\nCould not find domain for user gui: {uid}\n"))
}

pub(crate) fn not_found(uid: u32, label: &str) -> Answer {
    Answer::no(113, format!("Bad request.\nCould not find service \"{label}\" in domain for user gui: {uid}\n"))
}

pub(crate) fn not_listed(label: &str) -> Answer {
    Answer::no(113, format!("Could not find service \"{label}\" in domain for port\n"))
}

/// A refusal with a code of the system's error table.
pub(crate) fn refusal(verb: &str, code: u8, target: &str) -> Answer {
    let reason = match code {
        1 => "Operation not permitted",
        3 => "No such process",
        5 => "Input/output error",
        17 => "File exists",
        36 => "Operation now in progress",
        37 => "Operation already in progress",
        119 => "Service is disabled",
        125 => "Domain does not support specified action",
        _ => "Unknown error",
    };
    let what = match verb {
        "bootstrap" => "Bootstrap failed".to_owned(),
        "bootout" => "Boot-out failed".to_owned(),
        verb => format!("Could not {verb} service \"{target}\""),
    };
    Answer::no(code, format!("{what}: {code}: {reason}\n"))
}

/// The job is there. Nested blocks hold lines that must not be taken for the job's own.
pub(crate) fn print(launchd: &Launchd, label: &str) -> Answer {
    let uid = launchd.uid;
    let Some(job) = launchd.jobs.get(label) else { return not_found(uid, label) };
    let agent = &job.agent;
    let (state, pid) = match &job.phase {
        Phase::Idle | Phase::HeldBack(_) => ("not running", None),
        Phase::Scheduled(_) => ("spawn scheduled", None),
        Phase::Starting => ("xpcproxy", None),
        Phase::Running(pid) => ("running", Some(*pid)),
    };
    let mut lines = vec![
        format!("active count = {}", u32::from(pid.is_some())),
        format!("path = {}", job.path.display()),
        "type = LaunchAgent".to_owned(),
        format!("state = {state}"),
        String::new(),
    ];
    if let Some(program) = agent.program_arguments.first() {
        lines.push(format!("program = {program}"));
    }
    lines.push("arguments = {".to_owned());
    lines.extend(agent.program_arguments.iter().map(|argument| format!("\t{argument}")));
    lines.extend(["}".to_owned(), String::new()]);
    let outputs = [("stdout path", &agent.standard_out_path), ("stderr path", &agent.standard_error_path)];
    for (name, path) in outputs {
        lines.extend(path.as_ref().map(|path| format!("{name} = {}", path.display())));
    }
    lines.extend([
        "environment = {".to_owned(),
        format!("\tXPC_SERVICE_NAME => {label}"),
        "}".to_owned(),
        String::new(),
        format!("domain = gui/{uid} [asid 100005]"),
        "asid = 100005".to_owned(),
        format!("minimum runtime = {}", agent.throttle().as_secs()),
        format!("exit timeout = {}", agent.exit_time_out().as_secs()),
        format!("runs = {}", job.runs),
    ]);
    lines.extend(pid.map(|pid| format!("pid = {pid}")));
    lines.push("immediate reason = speculative".to_owned());
    lines.push(match job.last {
        None => "last exit code = (never exited)".to_owned(),
        Some(End::Code(78)) => "last exit code = 78: EX_CONFIG".to_owned(),
        Some(End::Code(code)) => format!("last exit code = {code}"),
        Some(End::Signal(number)) => format!("last terminating signal = {}: {number}", signal_name(number)),
    });
    lines.extend(
        ["", "resource coalition = {", "\tID = 4711", "\tstate = active", "\tactive count = 1", "}", ""]
            .map(str::to_owned),
    );
    if let Phase::HeldBack(reason) = &job.phase {
        lines.push(format!("pended nondemand spawn = {reason}"));
    }
    let mut properties = Vec::new();
    properties.extend(agent.is_kept_alive().then_some("keepalive"));
    properties.extend(agent.run_at_load.then_some("runatload"));
    properties.push("inferred program");
    lines.push(format!("properties = {}", properties.join(" | ")));
    let mut text = format!("gui/{uid}/{label} = {{\n");
    for line in lines {
        let indent = if line.is_empty() { "" } else { "\t" };
        let _never = writeln!(text, "{indent}{line}");
    }
    Answer::yes(text + "}\n")
}

pub(crate) fn print_disabled(launchd: &Launchd) -> Answer {
    let mut text = "\n\tdisabled services = {\n".to_owned();
    for (label, off) in &launchd.disabled {
        let _never = writeln!(text, "\t\t\"{label}\" => {}", if *off { "disabled" } else { "enabled" });
    }
    Answer::yes(text + "\t}\n\n\tlogin item associations = {\n\t}\n")
}

/// The old property list of `launchctl list LABEL`.
pub(crate) fn list(launchd: &Launchd, label: &str) -> Answer {
    let Some(job) = launchd.jobs.get(label) else { return not_listed(label) };
    let mut text = "{\n\t\"LimitLoadToSessionType\" = \"Aqua\";\n".to_owned();
    let mut line = |name: &str, value: String| {
        let _never = writeln!(text, "\t\"{name}\" = {value};");
    };
    line("Label", format!("\"{label}\""));
    line("OnDemand", (!job.agent.is_kept_alive()).to_string());
    line("LastExitStatus", job.last.map_or(0, wait_status).to_string());
    if let Phase::Running(pid) = job.phase {
        line("PID", pid.to_string());
    }
    if let Some(program) = job.agent.program_arguments.first() {
        line("Program", format!("\"{program}\""));
    }
    Answer::yes(text + "};\n")
}

/// As `wait(2)` has it.
fn wait_status(end: End) -> i32 {
    match end {
        End::Code(code) => code << 8,
        End::Signal(number) => number,
    }
}

pub(crate) fn end_in_short(end: End) -> String {
    match end {
        End::Code(code) => format!("exit code {code}"),
        End::Signal(number) => format!("signal {number}"),
    }
}

fn signal_name(number: i32) -> &'static str {
    match number {
        6 => "Abort trap",
        9 => "Killed",
        11 => "Segmentation fault",
        15 => "Terminated",
        _ => "Unknown signal",
    }
}
