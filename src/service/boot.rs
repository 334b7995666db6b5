//! Whether a gateway comes back after the machine starts anew: what its service manager will do, without asking it
//! to do anything.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::run;
use super::launchctl::parse_disabled;
use super::setup::{GatewaySetup, Kind};
use super::{launchd, systemd};

/// Limit for each question.
const ASK_LIMIT: Duration = Duration::from_millis(2500);

/// What a service manager will do with a gateway's service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// The service's name.
    pub label: String,
    /// It is started by itself; `Err`: that could not be found out, and why.
    pub starts: Result<bool, String>,
    /// It runs without a login; `None` where there is no such switch.
    pub lingers: Option<Result<bool, String>>,
    /// Who must log in before it starts; `None` where nobody must, or where that is not known.
    pub login: Option<Login>,
    /// What is wrong with its definition.
    pub flaw: Option<String>,
}

/// How a machine gets to a login, without which launchd starts no agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// By itself.
    Automatic,
    /// A person logs in.
    ByHand,
    /// A person unlocks the disk first: `FileVault` is on, and nothing logs in by itself.
    FileVault,
}

/// What the service manager will do; `None` for a gateway without one. Takes at most 5 s: two questions.
pub async fn boot(setup: &GatewaySetup, kind: Kind) -> Option<Boot> {
    match kind {
        Kind::Systemd => Some(of_systemd(setup).await),
        Kind::Launchd => Some(of_launchd(setup).await),
        Kind::Child | Kind::Attached | Kind::NotInstalled => None,
    }
}

async fn of_systemd(setup: &GatewaySetup) -> Boot {
    let label = systemd::unit_name(setup);
    let is_enabled = ["--user", "--no-ask-password", "--no-pager", "is-enabled", "--", label.as_str()];
    let starts = match run(&setup.systemctl, &is_enabled, ASK_LIMIT).await {
        // `systemctl(1)`: these are started by a target that they name.
        Ok(output) => match output.stdout.trim() {
            "enabled" | "enabled-runtime" | "static" | "generated" => Ok(true),
            "disabled" | "masked" | "masked-runtime" | "linked" | "linked-runtime" | "indirect" => Ok(false),
            _ => Err(output.reason()),
        },
        Err(error) => Err(error.to_string()),
    };
    let uid = setup.uid.to_string();
    let show_user = ["show-user", uid.as_str(), "--property=Linger", "--value"];
    let lingers = match run(&setup.loginctl, &show_user, ASK_LIMIT).await {
        Ok(output) => match output.stdout.trim() {
            "yes" => Ok(true),
            "no" => Ok(false),
            // A user who is not logged in and does not linger is not known to it.
            _ if output.stderr.contains("not logged in or lingering") => Ok(false),
            _ => Err(output.reason()),
        },
        Err(error) => Err(error.to_string()),
    };
    let unit = setup.home.join(".config/systemd/user").join(&label);
    let flaw = std::fs::read_to_string(unit).ok().and_then(|text| flaw_of_unit(&text));
    Boot { label, starts, lingers: Some(lingers), login: None, flaw }
}

/// A program that is not there. The rest of a unit systemd itself complains about.
fn flaw_of_unit(text: &str) -> Option<String> {
    let command = text.lines().find_map(|line| line.trim().strip_prefix("ExecStart="))?;
    let command = command.trim_start_matches(['-', '@', ':', '+', '!']);
    let program = command.strip_prefix('"').map_or_else(|| command.split(' ').next(), |rest| rest.split('"').next())?;
    missing(Path::new(program))
}

async fn of_launchd(setup: &GatewaySetup) -> Boot {
    let label = setup.label.clone().unwrap_or_else(|| launchd::DEFAULT_LABEL.to_owned());
    let domain = format!("gui/{}", setup.uid);
    let switched_off = match run(&setup.launchctl, &["print-disabled", domain.as_str()], ASK_LIMIT).await {
        Ok(output) if output.succeeded() => Ok(parse_disabled(&output.stdout, &label) == Some(true)),
        Ok(output) => Err(output.reason()),
        Err(error) => Err(error.to_string()),
    };
    let plist = setup.home.join("Library/LaunchAgents").join(format!("{label}.plist"));
    let (runs, flaw) = read_plist(&plist, &label);
    let login = login(setup).await;
    Boot { label, starts: switched_off.map(|off| runs && !off), lingers: None, login, flaw }
}

/// `fdesetup status` says `FileVault is On.` or `FileVault is Off.` to everybody; the login window's file names the
/// person who is logged in by itself.
async fn login(setup: &GatewaySetup) -> Option<Login> {
    let output = run(&setup.fdesetup, &["status"], ASK_LIMIT).await.ok()?;
    if output.stdout.contains("FileVault is On") {
        return Some(Login::FileVault);
    }
    if !output.stdout.contains("FileVault is Off") {
        return None;
    }
    let value = plist::Value::from_file(&setup.login_window).ok();
    let person = value.as_ref().and_then(|value| value.as_dictionary()?.get("autoLoginUser")?.as_string());
    Some(if person.is_some_and(|person| !person.is_empty()) { Login::Automatic } else { Login::ByHand })
}

/// Whether launchd starts the job at login, and what is wrong with its plist.
fn read_plist(path: &Path, label: &str) -> (bool, Option<String>) {
    let value = match plist::Value::from_file(path) {
        Ok(value) => value,
        Err(error) => return (false, Some(format!("{}: {error}", path.display()))),
    };
    let get = |key: &str| value.as_dictionary().and_then(|dictionary| dictionary.get(key));
    let is_true = |key: &str| get(key).and_then(plist::Value::as_boolean) == Some(true);
    // A dictionary of conditions keeps it alive too.
    let kept_alive = is_true("KeepAlive") || get("KeepAlive").is_some_and(|value| value.as_dictionary().is_some());
    let program = get("ProgramArguments").and_then(plist::Value::as_array).and_then(|words| words.first());
    let program = program.or_else(|| get("Program")).and_then(plist::Value::as_string);
    let flaw = match (get("Label").and_then(plist::Value::as_string), program) {
        (Some(own), _) if own != label => Some(format!("its label is {own}")),
        (_, None) => Some("it names no program".to_owned()),
        (_, Some(program)) => missing(Path::new(program))
            .or_else(|| (!kept_alive).then(|| "KeepAlive is off: launchd does not start it again".to_owned())),
    };
    (kept_alive || is_true("RunAtLoad"), flaw)
}

fn missing(program: &Path) -> Option<String> {
    let program: PathBuf = program.to_owned();
    (program.is_absolute() && !program.exists()).then(|| format!("{} is not there", program.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A setup whose tools say these words.
    fn setup(home: &Path, systemctl: &str, loginctl: &str, launchctl: &str) -> GatewaySetup {
        let script = |name: &str, body: &str| {
            let path = home.join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
            path
        };
        let mut setup = GatewaySetup::new("test", 1, home.to_owned(), home.join("gateway.log"));
        home.clone_into(&mut setup.home);
        setup.systemctl = script("systemctl", systemctl);
        setup.loginctl = script("loginctl", loginctl);
        setup.launchctl = script("launchctl", launchctl);
        setup
    }

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[tokio::test]
    async fn an_enabled_unit_of_a_person_who_lingers_comes_back() {
        let home = tempfile::tempdir().unwrap();
        let setup = setup(home.path(), "echo enabled", "echo yes", "");
        let boot = boot(&setup, Kind::Systemd).await.unwrap();
        assert_eq!(boot.label, "openclaw-gateway.service");
        assert_eq!((boot.starts, boot.lingers, boot.flaw), (Ok(true), Some(Ok(true)), None));
    }

    #[tokio::test]
    async fn a_disabled_unit_with_a_program_that_is_gone_does_not() {
        let home = tempfile::tempdir().unwrap();
        let setup = setup(home.path(), "echo disabled; exit 1", "echo no", "");
        let unit = home.path().join(".config/systemd/user/openclaw-gateway.service");
        write(&unit, "[Service]\nExecStart=/nowhere/node /x/openclaw.mjs gateway\n");
        let boot = boot(&setup, Kind::Systemd).await.unwrap();
        assert_eq!((boot.starts, boot.lingers), (Ok(false), Some(Ok(false))));
        assert_eq!(boot.flaw.as_deref(), Some("/nowhere/node is not there"));
    }

    #[tokio::test]
    async fn what_the_tools_do_not_know_is_not_known() {
        let home = tempfile::tempdir().unwrap();
        let broken = "echo 'Failed to connect to bus: No medium found' >&2; exit 1";
        let setup = setup(home.path(), broken, broken, broken);
        let reason = || Err("Failed to connect to bus: No medium found".to_owned());
        let systemd = boot(&setup, Kind::Systemd).await.unwrap();
        assert_eq!((systemd.starts, systemd.lingers), (reason(), Some(reason())));
        let launchd = boot(&setup, Kind::Launchd).await.unwrap();
        assert_eq!(launchd.starts, reason());
        assert_eq!(boot(&setup, Kind::Child).await, None);
    }

    #[tokio::test]
    async fn an_agent_starts_once_somebody_has_logged_in() {
        let home = tempfile::tempdir().unwrap();
        let login_of = async |says: &str, window: &str| {
            let mut setup = setup(home.path(), says, "", "");
            setup.fdesetup.clone_from(&setup.systemctl);
            setup.login_window = home.path().join("loginwindow.plist");
            write(&setup.login_window, &format!("<plist version=\"1.0\"><dict>{window}</dict></plist>"));
            boot(&setup, Kind::Launchd).await.unwrap().login
        };
        let kim = "<key>autoLoginUser</key><string>kim</string>";
        assert_eq!(login_of("echo FileVault is On.", kim).await, Some(Login::FileVault));
        assert_eq!(login_of("echo FileVault is Off.", kim).await, Some(Login::Automatic));
        assert_eq!(login_of("echo FileVault is Off.", "").await, Some(Login::ByHand));
        assert_eq!(login_of("echo odd; exit 1", kim).await, None);
    }

    #[tokio::test]
    async fn an_agent_comes_back_unless_it_is_switched_off() {
        let home = tempfile::tempdir().unwrap();
        let mut setup = setup(home.path(), "", "", "echo '\t\"ai.openclaw.gateway\" => enabled'");
        let plist = home.path().join("Library/LaunchAgents/ai.openclaw.gateway.plist");
        let text = r#"<?xml version="1.0"?><plist version="1.0"><dict><key>Label</key><string>ai.openclaw.gateway</string>
            <key>KeepAlive</key><true/><key>ProgramArguments</key><array><string>/bin/sh</string></array></dict></plist>"#;
        write(&plist, text);
        let good = boot(&setup, Kind::Launchd).await.unwrap();
        assert_eq!((good.starts, good.flaw), (Ok(true), None));
        write(&plist, &text.replace("/bin/sh", "/nowhere/node").replace("<true/>", "<false/>"));
        let bad = boot(&setup, Kind::Launchd).await.unwrap();
        assert_eq!((bad.starts, bad.flaw.as_deref()), (Ok(false), Some("/nowhere/node is not there")));
        write(&plist, text);
        write(&setup.launchctl, "#!/bin/sh\necho '\t\"ai.openclaw.gateway\" => disabled'\n");
        assert_eq!(boot(&setup, Kind::Launchd).await.unwrap().starts, Ok(false));
        setup.label = Some("ai.openclaw.work".to_owned());
        assert!(boot(&setup, Kind::Launchd).await.unwrap().flaw.unwrap().contains("ai.openclaw.work.plist"));
    }

    #[test]
    fn a_unit_may_mark_and_quote_its_program() {
        assert_eq!(flaw_of_unit("ExecStart=-\"/no where/node\" x"), Some("/no where/node is not there".to_owned()));
        assert_eq!(flaw_of_unit("ExecStart=/bin/sh -c x"), None);
        assert_eq!(flaw_of_unit("[Unit]"), None);
    }
}
