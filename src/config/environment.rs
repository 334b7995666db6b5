//! The process's environment as a value, so that everything that depends on it can be tried with another one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// Environment variables. Shows only their names when printed: a value may be a secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self { variables: std::env::vars_os().collect() }
    }

    /// This environment with some variables set.
    #[must_use]
    pub fn with<'a>(mut self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.variables.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// A variable's text, trimmed. Empty and undecodable values count as not set, as OpenClaw has it.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.raw(name)?.to_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// A variable that names a path; a leading `~` is the home folder.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).filter(|value| !value.is_empty()).map(|value| self.expand(Path::new(value)))
    }

    /// A variable as it is.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The home folder: `HOME`, or what the system's user list says.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.raw("HOME").filter(|home| !home.is_empty()).map(PathBuf::from).or_else(std::env::home_dir)
    }

    /// The path with a leading `~` replaced by the home folder.
    #[must_use]
    pub fn expand(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.home()) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_owned(),
        }
    }

    /// The locale for messages, by the precedence of `setlocale(3)`.
    #[must_use]
    pub fn locale(&self) -> &str {
        ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| self.text(name)).unwrap_or("")
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_an_environment_shows_no_value() {
        let environment = Environment::default().with([("TOKEN", "hunter2")]);
        assert_eq!(format!("{environment:?}"), "{\"TOKEN\"}");
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        let environment = Environment::default().with([("HOME", "/home/kim"), ("DIR", "~/claw"), ("EMPTY", "  ")]);
        assert_eq!(environment.path("DIR"), Some(PathBuf::from("/home/kim/claw")));
        assert_eq!(environment.expand(Path::new("/a/~b")), PathBuf::from("/a/~b"));
        assert_eq!(environment.text("EMPTY"), None);
    }

    #[test]
    fn the_locale_follows_the_precedence_of_the_system() {
        let environment = Environment::default().with([("LANG", "en_US.UTF-8"), ("LC_ALL", "ko_KR.UTF-8")]);
        assert_eq!(environment.locale(), "ko_KR.UTF-8");
    }
}
