//! Finding out about a gateway what the configuration leaves out, from OpenClaw's own config and environment.
//! Nothing is run, nothing is written, and nothing here can fail: what is unclear becomes a note.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::hash::fnv1a;
use super::{Config, GatewayConfig, ServiceChoice, openclaw, programs};
use crate::service::agent::Agent;
use crate::text::discovery::DiscoveryNote;

/// OpenClaw's default port.
pub const DEFAULT_PORT: u16 = 18789;

/// A gateway as the configuration and OpenClaw's own files describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredGateway {
    /// Its name in the configuration.
    pub name: String,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// OpenClaw's state folder.
    pub state_dir: PathBuf,
    /// OpenClaw's config file.
    pub config_path: PathBuf,
    /// OpenClaw's profile; `None` for the default one.
    pub profile: Option<String>,
    /// Label of its service: a launchd label on macOS, a systemd unit on Linux.
    pub label: String,
    /// Where its service is defined, if the file is there.
    pub service_file: Option<PathBuf>,
    /// Command that runs it in the foreground.
    pub command: Option<Vec<String>>,
    /// The `openclaw` command without arguments, for its own `gateway restart`, `config validate`, ….
    pub openclaw: Option<Vec<String>>,
    /// Variables to set for a process that Lifeguard starts for it.
    pub environment: BTreeMap<String, String>,
    /// Its log, if one is there.
    pub log: Option<PathBuf>,
    /// It asks for a token or a password. Never the token itself.
    pub has_token: bool,
    /// There is something to start: a command or a service.
    pub installed: bool,
    /// What could not be found out.
    pub notes: Vec<DiscoveryNote>,
}

/// Finds out about every gateway of the configuration.
#[must_use]
pub fn discover_all(config: &Config, process: &Environment) -> Vec<DiscoveredGateway> {
    let mut found: Vec<DiscoveredGateway> = Vec::new();
    for gateway in config.watched() {
        let mut next = discover(&gateway, process);
        if let Some(other) = found.iter().find(|other| other.port == next.port) {
            next.notes.push(DiscoveryNote::SamePort { port: next.port, other: other.name.clone() });
        }
        found.push(next);
    }
    found
}

/// Finds out about one gateway. Precedence of the port, as OpenClaw has it: configuration (in place of `--port`),
/// `OPENCLAW_GATEWAY_PORT`, `gateway.port`, and 18789, or for a profile the port that OpenClaw derives from
/// its name.
///
/// `OPENCLAW_…` variables describe one gateway. They are passed over for a gateway whose profile, state folder or
/// config file is named in the configuration, unless they are in its own `environment`. What the plist of its launchd
/// agent says goes before them.
#[must_use]
pub fn discover(gateway: &GatewayConfig, process: &Environment) -> DiscoveredGateway {
    let own = gateway.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let environment = process.clone().with(own);
    let named = gateway.profile.is_some() || gateway.state_dir.is_some() || gateway.config_path.is_some();
    let source = Source { environment: &environment, own: &gateway.environment, described: !named };
    let mut notes = Vec::new();

    let profile = gateway.profile.clone().or_else(|| source.text("OPENCLAW_PROFILE"));
    let profile = profile.filter(|profile| !profile.eq_ignore_ascii_case("default"));
    let launchd = match gateway.service {
        ServiceChoice::Auto => cfg!(target_os = "macos"),
        ServiceChoice::Launchd => true,
        ServiceChoice::Child | ServiceChoice::Attached | ServiceChoice::Systemd => false,
    };
    let own_label = || service_label(&source, profile.as_deref(), launchd);
    let label = gateway.service_label.clone().unwrap_or_else(own_label);
    let service_file = service_file(&label, &environment, launchd);
    let agent = service_file.as_ref().filter(|_| launchd).and_then(|file| match Agent::read(file) {
        Ok(agent) => Some(agent),
        Err(error) => {
            notes.push(DiscoveryNote::BadAgent(error.to_string()));
            None
        }
    });
    // What the agent's own plist sets is what its process runs with, whatever this process's environment says.
    let agents_path = |name| agent.as_ref()?.variable(name).map(PathBuf::from);
    let home = environment.path("OPENCLAW_HOME").or_else(|| environment.home()).unwrap_or_else(|| {
        notes.push(DiscoveryNote::NoHome);
        PathBuf::from("/")
    });
    let state_dir = gateway
        .state_dir
        .clone()
        .or_else(|| agents_path("OPENCLAW_STATE_DIR"))
        .or_else(|| source.path("OPENCLAW_STATE_DIR", &home))
        .unwrap_or_else(|| home.join(format!(".openclaw{}", suffix(profile.as_deref()))));
    let config_path = gateway
        .config_path
        .clone()
        .or_else(|| agents_path("OPENCLAW_CONFIG_PATH"))
        .or_else(|| source.path("OPENCLAW_CONFIG_PATH", &home))
        .unwrap_or_else(|| state_dir.join("openclaw.json"));
    let facts = openclaw::read(&config_path);
    notes.extend(facts.notes);

    let variable = source.text("OPENCLAW_GATEWAY_PORT");
    let variable_port = variable.as_deref().and_then(port_of);
    if variable.is_some() && variable_port.is_none() {
        notes.push(DiscoveryNote::BadPortVariable);
    }
    let port = gateway
        .port
        .or_else(|| agents_port(agent.as_ref()?))
        .or(variable_port)
        .or(facts.port)
        .unwrap_or_else(|| profile.as_deref().map_or(DEFAULT_PORT, profile_port));

    let openclaw = programs::find("openclaw", &environment).map(|program| programs::command(&program, &environment));
    let command = gateway.command.clone().or_else(|| {
        openclaw.as_ref().map(|openclaw| {
            let mut command = openclaw.clone();
            if let Some(profile) = &profile {
                command.extend(["--profile".to_owned(), profile.clone()]);
            }
            command.extend(["gateway", "run", "--port", &port.to_string()].map(str::to_owned));
            command
        })
    });
    let installed = command.is_some() || service_file.is_some() || gateway.practice;
    if !installed {
        notes.push(DiscoveryNote::NoProgram);
    }
    let has_token = facts.has_token
        || ["OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD"].iter().any(|name| source.text(name).is_some());
    let log =
        facts.log.filter(|file| file.is_file()).or_else(|| usual_log(&state_dir, profile.as_deref(), &environment));
    DiscoveredGateway {
        name: gateway.name.clone(),
        port,
        state_dir,
        config_path,
        profile,
        label,
        service_file,
        command,
        openclaw,
        environment: gateway.environment.clone(),
        log,
        has_token,
        installed,
        notes,
    }
}

/// Variables as far as they describe this gateway.
struct Source<'a> {
    environment: &'a Environment,
    own: &'a BTreeMap<String, String>,
    described: bool,
}

impl Source<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.described || self.own.contains_key(name))
            .then(|| self.environment.text(name))
            .flatten()
            .map(str::to_owned)
    }

    /// A path as OpenClaw reads it: `~` is its effective home.
    fn path(&self, name: &str, home: &Path) -> Option<PathBuf> {
        let text = self.text(name)?;
        let path = Path::new(&text);
        Some(path.strip_prefix("~").map_or_else(|_| path.to_owned(), |rest| home.join(rest)))
    }
}

fn suffix(profile: Option<&str>) -> String {
    profile.map_or_else(String::new, |profile| format!("-{profile}"))
}

/// The port of a profile that names none: `resolveGatewayPort` of OpenClaw 2026.9.
fn profile_port(profile: &str) -> u16 {
    u16::try_from(20_000 + fnv1a(profile.as_bytes()) % 40_000).unwrap_or(DEFAULT_PORT)
}

/// `18789`, `127.0.0.1:18789` or `[::1]:18789`, as OpenClaw reads its variable.
fn port_of(text: &str) -> Option<u16> {
    let port = match text.rsplit_once(':') {
        None => text,
        Some((host, port))
            if !host.is_empty() && (!host.contains(':') || (host.starts_with('[') && host.ends_with(']'))) =>
        {
            port
        }
        Some(_) => return None,
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    port.parse().ok().filter(|port| *port != 0)
}

/// The port that a launchd agent's process listens on: `--port`, or its variable.
fn agents_port(agent: &Agent) -> Option<u16> {
    agent.option("--port").or_else(|| agent.variable("OPENCLAW_GATEWAY_PORT")).and_then(port_of)
}

fn service_label(source: &Source<'_>, profile: Option<&str>, launchd: bool) -> String {
    if launchd {
        source.text("OPENCLAW_LAUNCHD_LABEL").unwrap_or_else(|| format!("ai.openclaw.{}", profile.unwrap_or("gateway")))
    } else {
        let unit =
            source.text("OPENCLAW_SYSTEMD_UNIT").unwrap_or_else(|| format!("openclaw-gateway{}", suffix(profile)));
        if unit.ends_with(".service") { unit } else { format!("{unit}.service") }
    }
}

fn service_file(label: &str, environment: &Environment, launchd: bool) -> Option<PathBuf> {
    let file = if launchd {
        environment.home()?.join("Library/LaunchAgents").join(format!("{label}.plist"))
    } else {
        let config = environment.path("XDG_CONFIG_HOME").or_else(|| Some(environment.home()?.join(".config")))?;
        config.join("systemd/user").join(label)
    };
    file.is_file().then_some(file)
}

/// Where the versions of OpenClaw put their logs, the service's first (gateway.md, section 2).
fn usual_log(state_dir: &Path, profile: Option<&str>, environment: &Environment) -> Option<PathBuf> {
    let service = environment
        .home()
        .map(|home| home.join("Library/Logs/openclaw").join(format!("gateway{}.log", suffix(profile))));
    let older = state_dir.join("logs/gateway.log");
    service
        .filter(|file| cfg!(target_os = "macos") && file.is_file())
        .or_else(|| newest_daily_log(Path::new("/tmp/openclaw")))
        .or_else(|| Some(older).filter(|file| file.is_file()))
}

/// The newest `openclaw-YYYY-MM-DD.log`: the day is in the name, so the greatest name is the newest.
fn newest_daily_log(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_daily = |name: &String| {
        let day = name.strip_prefix("openclaw-").and_then(|rest| rest.strip_suffix(".log"));
        day.is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok())
    };
    names.filter(is_daily).max().map(|name| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn config(&self, folder: &str, text: &str) {
            let folder = self.0.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("openclaw.json"), text).unwrap();
        }

        fn environment(&self) -> Environment {
            Environment::default().with([("HOME", self.0.path().to_str().unwrap())])
        }
    }

    #[test]
    fn the_port_follows_openclaws_precedence() {
        let home = Home::new();
        let nothing = discover(&GatewayConfig::default(), &home.environment());
        assert_eq!(nothing.port, DEFAULT_PORT);
        home.config(".openclaw", "{gateway: {port: 19001}}");
        let from_file = discover(&GatewayConfig::default(), &home.environment());
        assert_eq!(from_file.port, 19001);
        let environment = home.environment().with([("OPENCLAW_GATEWAY_PORT", "127.0.0.1:19002")]);
        assert_eq!(discover(&GatewayConfig::default(), &environment).port, 19002);
        let named = GatewayConfig { port: Some(19003), ..GatewayConfig::default() };
        assert_eq!(discover(&named, &environment).port, 19003);
    }

    #[test]
    fn a_profile_has_its_own_places_and_port() {
        let home = Home::new();
        let environment = home.environment().with([("OPENCLAW_PROFILE", "dev")]);
        let found = discover(&GatewayConfig::default(), &environment);
        assert_eq!(found.state_dir, home.0.path().join(".openclaw-dev"));
        assert_eq!(found.config_path, home.0.path().join(".openclaw-dev/openclaw.json"));
        assert_eq!(found.profile.as_deref(), Some("dev"));
        assert_eq!(found.port, 20_000 + u16::try_from(fnv1a(b"dev") % 40_000).unwrap());
        let label = if cfg!(target_os = "macos") { "ai.openclaw.dev" } else { "openclaw-gateway-dev.service" };
        assert_eq!(found.label, label);
        let default = discover(&GatewayConfig::default(), &home.environment().with([("OPENCLAW_PROFILE", "Default")]));
        assert_eq!(default.profile, None);
    }

    #[test]
    fn the_plist_of_a_launchd_agent_goes_before_the_environment() {
        let home = Home::new();
        let agent = |text: &str| {
            let folder = home.0.path().join("Library/LaunchAgents");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("ai.openclaw.gateway.plist"), text).unwrap();
        };
        agent(
            "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>Label</key><string>ai.openclaw.gateway</string>\
             <key>ProgramArguments</key><array><string>node</string><string>--port</string><string>19005</string></array>\
             <key>EnvironmentVariables</key><dict><key>OPENCLAW_STATE_DIR</key><string>/state</string></dict></dict></plist>",
        );
        let environment =
            home.environment().with([("OPENCLAW_GATEWAY_PORT", "19002"), ("OPENCLAW_STATE_DIR", "/elsewhere")]);
        let gateway = GatewayConfig { service: ServiceChoice::Launchd, ..GatewayConfig::default() };
        let found = discover(&gateway, &environment);
        assert_eq!((found.label.as_str(), found.port), ("ai.openclaw.gateway", 19005));
        assert_eq!(found.state_dir, Path::new("/state"));
        assert_eq!(discover(&GatewayConfig { port: Some(19006), ..gateway.clone() }, &environment).port, 19006);

        agent("damaged");
        let found = discover(&gateway, &environment);
        assert_eq!(found.port, 19002);
        assert!(found.notes.iter().any(|note| matches!(note, DiscoveryNote::BadAgent(_))), "{:?}", found.notes);
    }

    #[test]
    fn variables_do_not_describe_a_gateway_that_the_configuration_names() {
        let home = Home::new();
        let environment =
            home.environment().with([("OPENCLAW_GATEWAY_PORT", "19002"), ("OPENCLAW_STATE_DIR", "/elsewhere")]);
        let named = GatewayConfig { profile: Some("work".to_owned()), ..GatewayConfig::default() };
        let found = discover(&named, &environment);
        assert_eq!(found.state_dir, home.0.path().join(".openclaw-work"));
        assert_ne!(found.port, 19002);
        let own = BTreeMap::from([("OPENCLAW_GATEWAY_PORT".to_owned(), "19004".to_owned())]);
        assert_eq!(discover(&GatewayConfig { environment: own, ..named }, &environment).port, 19004);
    }

    #[test]
    fn openclaws_home_is_the_home_of_its_files() {
        let home = Home::new();
        let environment = home.environment().with([("OPENCLAW_HOME", "~/claw"), ("OPENCLAW_CONFIG_PATH", "~/x.json")]);
        let found = discover(&GatewayConfig::default(), &environment);
        assert_eq!(found.state_dir, home.0.path().join("claw/.openclaw"));
        assert_eq!(found.config_path, home.0.path().join("claw/x.json"));
    }

    #[test]
    fn a_port_that_is_none_becomes_a_note() {
        let environment = Home::new().environment().with([("OPENCLAW_GATEWAY_PORT", "nonsense")]);
        let found = discover(&GatewayConfig::default(), &environment);
        assert_eq!(found.port, DEFAULT_PORT);
        assert!(found.notes.contains(&DiscoveryNote::BadPortVariable));
        assert_eq!(
            [port_of("[::1]:80"), port_of("::1:80"), port_of(":80"), port_of("0")],
            [Some(80), None, None, None]
        );
    }

    #[test]
    fn a_token_is_noticed_and_never_shown() {
        let home = Home::new();
        home.config(".openclaw", "{gateway: {auth: {token: 'hunter2'}}}");
        let found = discover(&GatewayConfig::default(), &home.environment());
        assert!(found.has_token);
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn a_command_of_the_configuration_is_taken_as_it_is() {
        let command = vec!["/bin/true".to_owned(), "x".to_owned()];
        let gateway = GatewayConfig { command: Some(command.clone()), ..GatewayConfig::default() };
        let found = discover(&gateway, &Home::new().environment());
        assert_eq!(found.command, Some(command));
        assert!(found.installed);
    }

    #[test]
    fn two_gateways_that_turn_out_to_share_a_port_are_told() {
        let home = Home::new();
        let second = GatewayConfig { name: "second".to_owned(), ..GatewayConfig::default() };
        let config = Config { gateways: vec![GatewayConfig::default(), second], ..Config::default() };
        let found = discover_all(&config, &home.environment());
        let note = DiscoveryNote::SamePort { port: DEFAULT_PORT, other: "gateway".to_owned() };
        assert!(!found[0].notes.contains(&note));
        assert!(found[1].notes.contains(&note));
    }

    #[test]
    fn the_newest_daily_log_is_found() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["openclaw-2026-11-09.log", "openclaw-2026-11-10.log", "openclaw-x.log", "openclaw-2026-11-11.log.1"]
        {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(newest_daily_log(folder.path()), Some(folder.path().join("openclaw-2026-11-10.log")));
    }
}
