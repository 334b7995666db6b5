//! Whether Lifeguard starts when the person logs in. The switch shows what the system will really do.

use std::path::PathBuf;

use super::own_agent;

/// Where a person allows login items on macOS.
pub const SETTINGS: &str = "x-apple.systempreferences:com.apple.LoginItems-Settings.extension";

/// What the system will do at the next login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginItem {
    /// Start this copy.
    On,
    /// Nothing.
    Off,
    /// Nothing until the person allows it in System Settings (macOS).
    NeedsApproval,
    /// Nothing: an entry exists, and was switched off in the desktop's own settings.
    SwitchedOff,
    /// Start another copy, at this path.
    AnotherCopy(PathBuf),
    /// Nothing, for it need not: Lifeguard's own agent starts it.
    Agent,
    /// It cannot be had here: no home folder, or on macOS no application bundle.
    Unavailable,
}

/// The login item could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum LoginItemError {
    /// Where this program is cannot be found out.
    #[error("the path of this program is not known: {0}; start it by its full path")]
    NoProgram(std::io::Error),
    /// The program's path holds characters that an autostart entry cannot hold.
    #[error("the path {0} cannot stand in an autostart entry; move Lifeguard to a plain path")]
    OddPath(PathBuf),
    /// `XDG_CONFIG_HOME` points away from `~/.config`, where the entry would be written.
    #[error(
        "XDG_CONFIG_HOME is {0}, and the entry would go to ~/.config/autostart; unset it or copy the entry yourself"
    )]
    OtherConfigHome(PathBuf),
    /// Lifeguard's own agent starts it at login already.
    #[error("Lifeguard's own agent starts it at login; run `lifeguard uninstall-agent` first")]
    AgentInstalled,
    /// The system said no.
    #[error("the system refused: {0}")]
    Refused(#[from] auto_launch::Error),
}

/// What the system will do at the next login. Cheap on Linux (one small file); on macOS a question to a system
/// service, so do not ask it many times a second.
#[must_use]
pub fn state() -> LoginItem {
    if own_agent::is_installed() { LoginItem::Agent } else { system::state() }
}

/// Starts this program at login, or no longer.
pub fn set(on: bool) -> Result<(), LoginItemError> {
    let program = std::env::current_exe().map_err(LoginItemError::NoProgram)?;
    let item = system::item(&program)?;
    if on {
        if own_agent::is_installed() {
            return Err(LoginItemError::AgentInstalled);
        }
        // macOS answers so where the person must allow it first: then it is registered all the same.
        if let Err(refusal) = item.enable()
            && system::state() != LoginItem::NeedsApproval
        {
            return Err(refusal.into());
        }
    } else if item.is_enabled()? {
        item.disable()?;
    }
    Ok(())
}

/// macOS 13 and later: the app's own entry under "Open at Login".
#[cfg(target_os = "macos")]
mod system {
    use std::path::Path;

    use auto_launch::{AutoLaunch, AutoLaunchBuilder, MacOSLaunchMode};
    use smappservice_rs::{AppService, ServiceStatus, ServiceType};

    use super::{LoginItem, LoginItemError};

    pub(super) fn state() -> LoginItem {
        match AppService::new(ServiceType::MainApp).status() {
            ServiceStatus::Enabled => LoginItem::On,
            ServiceStatus::NotRegistered => LoginItem::Off,
            ServiceStatus::RequiresApproval => LoginItem::NeedsApproval,
            // A bare binary has no main app that could be registered; an app that never was says so too.
            ServiceStatus::NotFound if super::in_bundle() => LoginItem::Off,
            ServiceStatus::NotFound => LoginItem::Unavailable,
        }
    }

    pub(super) fn item(_program: &Path) -> Result<AutoLaunch, LoginItemError> {
        Ok(AutoLaunchBuilder::new().set_macos_launch_mode(MacOSLaunchMode::SMAppService).build()?)
    }
}

/// Elsewhere: an XDG autostart entry.
#[cfg(not(target_os = "macos"))]
mod system {
    use std::path::{Path, PathBuf};

    use auto_launch::{AutoLaunch, AutoLaunchBuilder, LinuxLaunchMode};

    use super::{LoginItem, LoginItemError};

    /// Name of the entry, without `.desktop`.
    const NAME: &str = "io.lifeguard.Lifeguard";

    pub(super) fn state() -> LoginItem {
        let (Some(home), Ok(program)) = (std::env::home_dir(), std::env::current_exe()) else {
            return LoginItem::Unavailable;
        };
        match std::fs::read_to_string(entry(&home)) {
            Ok(text) => read_entry(&text, &program),
            Err(_) => LoginItem::Off,
        }
    }

    pub(super) fn item(program: &Path) -> Result<AutoLaunch, LoginItemError> {
        if let (Some(home), Some(folder)) = (std::env::home_dir(), std::env::var_os("XDG_CONFIG_HOME")) {
            let folder = PathBuf::from(folder);
            if !folder.as_os_str().is_empty() && folder != home.join(".config") {
                return Err(LoginItemError::OtherConfigHome(folder));
            }
        }
        let quoted = quote(program).ok_or_else(|| LoginItemError::OddPath(program.to_owned()))?;
        Ok(AutoLaunchBuilder::new()
            .set_app_name(NAME)
            .set_app_path(&quoted)
            .set_linux_launch_mode(LinuxLaunchMode::XdgAutostart)
            .build()?)
    }

    fn entry(home: &Path) -> PathBuf {
        home.join(".config/autostart").join(format!("{NAME}.desktop"))
    }

    /// The `Exec` value for a program, quoted as the Desktop Entry Specification wants; `None` if that cannot be.
    pub(super) fn quote(program: &Path) -> Option<String> {
        let path = program.to_str()?;
        if path.chars().any(|letter| letter.is_control() || "\"`$\\%".contains(letter)) {
            return None;
        }
        Some(format!("\"{path}\""))
    }

    /// What a session manager makes of an autostart entry.
    pub(super) fn read_entry(text: &str, program: &Path) -> LoginItem {
        let value = |wanted: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(key, _)| key.trim() == wanted)
                .map(|(_, v)| v.trim())
        };
        if value("Hidden") == Some("true") || value("X-GNOME-Autostart-enabled") == Some("false") {
            return LoginItem::SwitchedOff;
        }
        let command = value("Exec").unwrap_or_default();
        let starts = command
            .strip_prefix('"')
            .map_or_else(|| command.split_whitespace().next(), |rest| rest.split('"').next())
            .unwrap_or_default();
        if Path::new(starts) == program { LoginItem::On } else { LoginItem::AnotherCopy(PathBuf::from(starts)) }
    }
}

/// Whether this program is the one in Lifeguard.app.
#[must_use]
pub fn in_bundle() -> bool {
    cfg!(target_os = "macos")
        && std::env::current_exe()
            .is_ok_and(|path| path.ancestors().any(|folder| folder.extension() == Some("app".as_ref())))
}

#[cfg(all(test, not(target_os = "macos")))]
mod tests {
    use std::path::Path;

    use super::LoginItem;
    use super::system::{quote, read_entry};

    fn entry(exec: &str, more: &str) -> LoginItem {
        read_entry(&format!("[Desktop Entry]\nType=Application\nExec={exec} \n{more}"), Path::new("/opt/a b/lifeguard"))
    }

    #[test]
    fn an_entry_for_this_program_is_on() {
        assert_eq!(entry("\"/opt/a b/lifeguard\"", ""), LoginItem::On);
    }

    #[test]
    fn an_entry_that_the_desktop_switched_off_is_not_on() {
        assert_eq!(entry("\"/opt/a b/lifeguard\"", "Hidden=true"), LoginItem::SwitchedOff);
        assert_eq!(entry("\"/opt/a b/lifeguard\"", "X-GNOME-Autostart-enabled=false"), LoginItem::SwitchedOff);
    }

    #[test]
    fn an_entry_for_another_copy_names_it() {
        assert_eq!(entry("/usr/bin/lifeguard --quiet", ""), LoginItem::AnotherCopy("/usr/bin/lifeguard".into()));
    }

    #[test]
    fn a_path_is_quoted_and_one_that_cannot_be_is_refused() {
        assert_eq!(quote(Path::new("/opt/a b/lifeguard")).as_deref(), Some("\"/opt/a b/lifeguard\""));
        assert_eq!(quote(Path::new("/opt/$HOME/lifeguard")), None);
        assert_eq!(quote(Path::new("/opt/100%/lifeguard")), None);
    }
}
