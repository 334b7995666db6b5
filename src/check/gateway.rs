//! One gateway: its programs, its configuration, its service, its port, and what it needs.

use std::path::Path;
use std::time::Duration;

use super::{Finding, Ground, service, word};
use crate::config::discovery::DiscoveredGateway;
use crate::config::programs;
use crate::platform::port::{Occupant, occupant};
use crate::probe::dependency::{Dependencies, Needs};
use crate::service::command::{CommandError, CommandOutput, run};
use crate::service::identity::confirm;
use crate::service::{GatewaySetup, Kind, Service};
use crate::snapshot::GatewaySnapshot;
use crate::supervisor::dependency::{Dependency, DependencyState, Trouble};
use crate::text::check::gateway::GatewayRemark;
use crate::text::check::{Grade, Subject};

/// Limit for asking a program its version.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// What OpenClaw 2026.9 runs on: `>=24.16.0 <25 || >=26.1.0` (gateway.md, section 1). Others warn.
const NODE: [(u32, u32); 2] = [(24, 16), (26, 1)];

/// A gateway of the configuration.
#[derive(Debug, Clone)]
pub struct Watched {
    /// What its service knows of it.
    pub setup: GatewaySetup,
    /// Its kind of service.
    pub kind: Kind,
    /// What it needs besides itself.
    pub needs: Needs,
    /// The configuration names the command that runs it.
    pub own_command: bool,
    /// What was found out about it.
    pub found: DiscoveredGateway,
    /// How it was seen last.
    pub seen: Option<GatewaySnapshot>,
}

/// A gateway, and from where it is looked at.
pub(super) struct Look<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) watched: &'a Watched,
}

impl Look<'_> {
    pub(super) fn finding(&self, subject: Subject, grade: Grade, remark: &GatewayRemark) -> Finding {
        let finding = Finding::new(subject, grade, remark, self.ground.language);
        Finding { gateway: Some(self.watched.setup.name.clone()), ..finding }
    }

    /// A command line of OpenClaw's for this gateway.
    pub(super) fn openclaw(&self, words: &str) -> String {
        let profile =
            self.watched.found.profile.as_ref().map_or_else(String::new, |profile| format!(" --profile {profile}"));
        format!("openclaw{profile} {words}")
    }
}

pub(super) async fn examine(ground: &Ground<'_>, watched: &Watched) -> Vec<Finding> {
    let look = Look { ground, watched };
    let dependencies = Dependencies::new(watched.needs.clone(), watched.setup.clone());
    let service = Service::new(watched.setup.clone(), watched.kind);
    let (openclaw, node, missing, report, boot) = tokio::join!(
        openclaw(&look),
        node(&look),
        dependencies.missing(true),
        service.observe(),
        crate::service::boot::boot(&watched.setup, watched.kind)
    );
    let port = watched.setup.port;
    let owner =
        tokio::task::spawn_blocking(move || occupant(port)).await.unwrap_or_else(|error| Err(error.to_string()));
    let process = report.process.as_ref().map(|process| process.pid);
    vec![
        openclaw,
        node,
        config(&look, &missing),
        version(&look),
        service::registered(&look, &report.state, boot.as_ref()),
        service::reboot(&look, boot.as_ref()),
        service::linger(&look, boot.as_ref()),
        judge_port(&look, owner, process),
        docker(&look, &missing),
        network(&look, &missing),
    ]
}

async fn openclaw(look: &Look<'_>) -> Finding {
    let finding = |grade, remark| look.finding(Subject::Openclaw, grade, &remark);
    let Some((program, own)) = look.watched.setup.openclaw.as_deref().and_then(<[String]>::split_first) else {
        return if look.watched.own_command {
            finding(Grade::Skipped, GatewayRemark::OwnCommand)
        } else {
            finding(Grade::Problem, GatewayRemark::NoOpenclaw).mend("npm install --global openclaw")
        };
    };
    let words: Vec<&str> = own.iter().map(String::as_str).chain(["--version"]).collect();
    match first_line(run(program, &words, VERSION_LIMIT).await) {
        Ok(version) => finding(Grade::Ok, GatewayRemark::Program(version)),
        Err(cause) => {
            let place = own.first().unwrap_or(program).clone();
            finding(Grade::Problem, GatewayRemark::ProgramUnclear(place, cause)).mend("npm install --global openclaw")
        }
    }
}

async fn node(look: &Look<'_>) -> Finding {
    let finding = |grade, remark| look.finding(Subject::Node, grade, &remark);
    let setup = &look.watched.setup;
    if setup.openclaw.is_none() {
        return finding(Grade::Skipped, GatewayRemark::NotNeeded);
    }
    let is_node = |program: &&String| {
        Path::new(program).file_name().is_some_and(|name| name.to_string_lossy().starts_with("node"))
    };
    let commands = [setup.command.as_ref(), setup.openclaw.as_ref()];
    let own = commands.into_iter().flatten().filter_map(|command| command.first()).find(is_node).cloned();
    let found = own.or_else(|| Some(programs::find("node", look.ground.environment)?.display().to_string()));
    let install = "npm install --global node@26";
    let Some(node) = found else {
        return finding(Grade::Problem, GatewayRemark::NoNode).mend(install);
    };
    match first_line(run(&node, &["--version"], VERSION_LIMIT).await) {
        Ok(version) if is_old(&version) => finding(Grade::Warning, GatewayRemark::NodeOld(version)).mend(install),
        Ok(version) => finding(Grade::Ok, GatewayRemark::Program(version)),
        Err(cause) => finding(Grade::Problem, GatewayRemark::ProgramUnclear(node, cause)).mend(install),
    }
}

/// `v26.10.0`: whether it is below what OpenClaw wants of its line. An odd text is taken for good.
fn is_old(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|part| part.parse::<u32>().ok());
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else { return false };
    let newest = NODE.iter().map(|(major, _)| *major).max().unwrap_or_default();
    let in_line = NODE.iter().any(|(line, least)| major == *line && minor >= *least);
    !in_line && major <= newest
}

fn first_line(asked: Result<CommandOutput, CommandError>) -> Result<String, String> {
    match asked {
        Ok(output) if output.succeeded() => {
            let line = output.stdout.lines().map(str::trim).find(|line| !line.is_empty());
            line.map(str::to_owned).ok_or_else(|| output.reason())
        }
        Ok(output) => Err(output.reason()),
        Err(error) => Err(error.to_string()),
    }
}

fn config(look: &Look<'_>, missing: &[DependencyState]) -> Finding {
    let finding = |grade, remark| look.finding(Subject::GatewayConfig, grade, &remark);
    let file = &look.watched.setup.config_path;
    let trouble = missing.iter().find(|state| state.dependency == Dependency::Configuration);
    match trouble.and_then(|state| state.trouble.clone()) {
        Some(Trouble::Invalid(reason)) => {
            finding(Grade::Problem, GatewayRemark::ConfigBad(reason)).mend(look.openclaw("doctor --fix"))
        }
        Some(trouble) => {
            let remark = GatewayRemark::Missing(file.display().to_string(), trouble);
            finding(Grade::Problem, remark).mend(format!("ls -l {}", word(file)))
        }
        None if !file.exists() && look.watched.kind == Kind::NotInstalled => {
            finding(Grade::Skipped, GatewayRemark::NotInstalled)
        }
        None if !file.exists() => {
            finding(Grade::Warning, GatewayRemark::NoConfig(file.display().to_string())).mend(look.openclaw("setup"))
        }
        None => finding(Grade::Ok, GatewayRemark::ConfigGood),
    }
}

fn version(look: &Look<'_>) -> Finding {
    let finding = |grade, remark| look.finding(Subject::GatewayVersion, grade, &remark);
    match look.watched.seen.as_ref() {
        Some(seen) if seen.pid.is_some() => match seen.version.clone() {
            Some(version) => finding(Grade::Ok, GatewayRemark::Version(version)),
            None if seen.latency.is_none() => finding(Grade::Skipped, GatewayRemark::NotRunning),
            None => finding(Grade::Warning, GatewayRemark::NoVersion).mend(look.openclaw("update")),
        },
        _ => finding(Grade::Skipped, GatewayRemark::NotRunning),
    }
}

/// `process`: the gateway's own, as its service says.
fn judge_port(look: &Look<'_>, owner: Result<Occupant, String>, process: Option<u32>) -> Finding {
    let finding = |grade, remark| look.finding(Subject::Port, grade, &remark);
    let port = look.watched.setup.port;
    let show = || format!("sudo lsof -nP -iTCP:{port} -sTCP:LISTEN");
    match owner {
        Ok(Occupant::Free) => finding(Grade::Ok, GatewayRemark::PortFree(port)),
        Ok(Occupant::Hidden) => finding(Grade::Problem, GatewayRemark::PortHidden(port)).mend(show()),
        Ok(Occupant::Listeners(listeners)) => match listeners.into_iter().next() {
            None => finding(Grade::Ok, GatewayRemark::PortFree(port)),
            Some(first) if Some(first.pid) == process || confirm(first.pid, look.watched.setup.uid).is_some() => {
                finding(Grade::Ok, GatewayRemark::PortOurs(port, first.pid))
            }
            Some(first) => {
                let mend = format!("kill {}   # if you do not need {}", first.pid, first.name);
                let remark = GatewayRemark::PortTaken { port, name: first.name, pid: first.pid };
                finding(Grade::Problem, remark).mend(mend)
            }
        },
        Err(cause) => finding(Grade::Warning, GatewayRemark::Unclear(cause)).mend(show()),
    }
}

fn docker(look: &Look<'_>, missing: &[DependencyState]) -> Finding {
    let finding = |grade, remark| look.finding(Subject::Docker, grade, &remark);
    if !look.watched.needs.docker {
        return finding(Grade::Skipped, GatewayRemark::NotDeclared);
    }
    let trouble = missing.iter().find(|state| state.dependency == Dependency::Docker);
    match trouble.and_then(|state| state.trouble.clone()) {
        None => finding(Grade::Ok, GatewayRemark::Reached("Docker".to_owned())),
        Some(trouble) => {
            let start = if cfg!(target_os = "macos") { "open -a Docker" } else { "sudo systemctl start docker" };
            finding(Grade::Problem, GatewayRemark::Missing("Docker".to_owned(), trouble)).mend(start)
        }
    }
}

fn network(look: &Look<'_>, missing: &[DependencyState]) -> Finding {
    let finding = |grade, remark| look.finding(Subject::Network, grade, &remark);
    if look.watched.needs.hosts.is_empty() {
        return finding(Grade::Skipped, GatewayRemark::NotDeclared);
    }
    let lost = missing.iter().find_map(|state| match &state.dependency {
        Dependency::Network { host } => Some((host.clone(), state.trouble.clone()?)),
        _ => None,
    });
    match lost {
        None => finding(Grade::Ok, GatewayRemark::Reached(look.watched.needs.hosts.join(", "))),
        Some((host, trouble)) => {
            let mend = format!("curl -sv telnet://{host} --max-time 3");
            finding(Grade::Problem, GatewayRemark::Missing(host, trouble)).mend(mend)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::sample::{Stage, watched};
    use crate::platform::port::Listener;

    /// Looks at a gateway that `change` has changed.
    fn with<T>(stage: &Stage, change: impl FnOnce(&mut Watched), look: impl FnOnce(&Look<'_>) -> T) -> T {
        let mut watched = watched(stage.home());
        change(&mut watched);
        look(&Look { ground: &stage.ground(), watched: &watched })
    }

    fn state(dependency: Dependency, trouble: Trouble) -> [DependencyState; 1] {
        [DependencyState { dependency, trouble: Some(trouble) }]
    }

    #[tokio::test]
    async fn openclaw_is_there_missing_or_broken() {
        let stage = Stage::new();
        let program = stage.script("openclaw", "echo 'OpenClaw 2026.9.6 (eb377ac)'");
        let mut watched = watched(stage.home());
        watched.setup.openclaw = Some(vec![program.display().to_string()]);
        let ground = stage.ground();
        let good = openclaw(&Look { ground: &ground, watched: &watched }).await;
        assert_eq!((good.grade, good.sentence.as_str()), (Grade::Ok, "OpenClaw 2026.9.6 (eb377ac)."));
        stage.script("openclaw", "echo 'Cannot find module' >&2; exit 1");
        let broken = openclaw(&Look { ground: &ground, watched: &watched }).await;
        assert_eq!(broken.grade, Grade::Problem);
        assert!(broken.sentence.contains("Cannot find module"));
        watched.setup.openclaw = None;
        let missing = openclaw(&Look { ground: &ground, watched: &watched }).await;
        assert_eq!(missing.mend.as_deref(), Some("npm install --global openclaw"));
        watched.own_command = true;
        assert_eq!(openclaw(&Look { ground: &ground, watched: &watched }).await.grade, Grade::Skipped);
    }

    #[tokio::test]
    async fn node_is_new_enough_too_old_or_not_needed() {
        let stage = Stage::new();
        let mut watched = watched(stage.home());
        let ground = stage.ground();
        watched.setup.openclaw = None;
        assert_eq!(node(&Look { ground: &ground, watched: &watched }).await.grade, Grade::Skipped);
        let program = stage.script("node", "echo v26.10.0");
        watched.setup.openclaw = Some(vec![program.display().to_string(), "/x/openclaw.mjs".to_owned()]);
        assert_eq!(node(&Look { ground: &ground, watched: &watched }).await.grade, Grade::Ok);
        stage.script("node", "echo v22.1.0");
        assert_eq!(node(&Look { ground: &ground, watched: &watched }).await.grade, Grade::Warning);
        stage.script("node", "exit 3");
        assert_eq!(node(&Look { ground: &ground, watched: &watched }).await.grade, Grade::Problem);
    }

    #[test]
    fn the_versions_of_node_that_openclaw_takes() {
        for good in ["v24.16.0", "v26.1.0", "v26.10.0", "v27.0.0", "odd"] {
            assert!(!is_old(good), "{good}");
        }
        for old in ["v24.15.9", "v25.9.0", "v26.0.9", "v18.20.1"] {
            assert!(is_old(old), "{old}");
        }
    }

    #[test]
    fn openclaws_configuration_is_accepted_refused_or_missing() {
        let stage = Stage::new();
        let invalid = state(Dependency::Configuration, Trouble::Invalid("gateway: odd".to_owned()));
        let bad =
            with(&stage, |watched| watched.found.profile = Some("work".to_owned()), |look| config(look, &invalid));
        assert_eq!((bad.grade, bad.mend.as_deref()), (Grade::Problem, Some("openclaw --profile work doctor --fix")));
        let silent = state(Dependency::Configuration, Trouble::Silent);
        assert_eq!(with(&stage, |_| {}, |look| config(look, &silent)).grade, Grade::Problem);
        assert_eq!(with(&stage, |_| {}, |look| config(look, &[])).grade, Grade::Warning);
        assert_eq!(
            with(&stage, |watched| watched.kind = Kind::NotInstalled, |look| config(look, &[])).grade,
            Grade::Skipped
        );
        std::fs::write(stage.home().join("openclaw.json"), "{}").unwrap();
        assert_eq!(with(&stage, |_| {}, |look| config(look, &[])).grade, Grade::Ok);
    }

    #[test]
    fn the_gateways_version_is_known_hidden_or_out_of_reach() {
        let stage = Stage::new();
        let of = |version: Option<&str>, pid, latency| {
            let seen = crate::check::sample::seen(version, pid, latency);
            with(&stage, |watched| watched.seen = Some(seen), version_of)
        };
        assert_eq!(of(Some("2026.9.6"), Some(7), Some(1)).grade, Grade::Ok);
        assert_eq!(of(None, Some(7), Some(1)).mend.as_deref(), Some("openclaw update"));
        assert_eq!(of(None, Some(7), None).grade, Grade::Skipped);
        assert_eq!(of(None, None, None).grade, Grade::Skipped);
    }

    fn version_of(look: &Look<'_>) -> Finding {
        version(look)
    }

    #[test]
    fn the_port_is_the_gateways_free_or_taken() {
        let stage = Stage::new();
        let of = |owner, process| with(&stage, |_| {}, |look| judge_port(look, owner, process));
        let listener = Listener { pid: std::process::id(), name: "nginx".to_owned(), address: [127, 0, 0, 1].into() };
        let taken = || Ok(Occupant::Listeners(vec![listener.clone()]));
        assert_eq!(of(taken(), Some(std::process::id())).grade, Grade::Ok);
        let stranger = of(taken(), None);
        assert_eq!(stranger.grade, Grade::Problem);
        assert!(stranger.mend.unwrap().ends_with("# if you do not need nginx"));
        assert_eq!(of(Ok(Occupant::Free), None).grade, Grade::Ok);
        assert_eq!(of(Ok(Occupant::Hidden), None).grade, Grade::Problem);
        assert_eq!(of(Err("no".to_owned()), None).grade, Grade::Warning);
    }

    #[test]
    fn docker_and_hosts_matter_only_where_they_are_declared() {
        let stage = Stage::new();
        let down = state(Dependency::Docker, Trouble::NotRunning);
        assert_eq!(with(&stage, |_| {}, |look| docker(look, &down)).grade, Grade::Skipped);
        let declare = |watched: &mut Watched| watched.needs.docker = true;
        assert_eq!(with(&stage, declare, |look| docker(look, &[])).grade, Grade::Ok);
        let lost = with(&stage, declare, |look| docker(look, &down));
        assert_eq!((lost.grade, lost.sentence.as_str()), (Grade::Problem, "Docker does not run: start it."));

        let host = || "api.telegram.org:443".to_owned();
        let far = state(Dependency::Network { host: host() }, Trouble::Unresolved);
        assert_eq!(with(&stage, |_| {}, |look| network(look, &far)).grade, Grade::Skipped);
        let declare = |watched: &mut Watched| watched.needs.hosts = vec![host()];
        assert_eq!(with(&stage, declare, |look| network(look, &[])).grade, Grade::Ok);
        assert_eq!(with(&stage, declare, |look| network(look, &far)).grade, Grade::Problem);
    }
}
