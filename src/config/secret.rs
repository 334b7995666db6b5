//! The places that a secret may come from.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::environment::Environment;
use crate::platform::keychain::{self, Asking};
use crate::redact::secret::Secret;
use crate::text::place::PlaceProblem;
use crate::text::{Language, Phrase};

/// The largest secret that is read from a file, in bytes. Webhook addresses have about 120.
const LARGEST: u64 = 8 * 1024;

/// The name in the keychain that a text of the form `keychain:NAME` stands for.
#[must_use]
pub fn keychain_name(secret: &Secret) -> Option<&str> {
    secret.expose().strip_prefix("keychain:").map(str::trim)
}

/// Whether a secret in the keychain can have this name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Follows `env:NAME` and `file:PATH` to the secret itself; `keychain:NAME` stays, for the keychain may be locked; any
/// other text is the secret.
pub fn resolve(secret: &Secret, environment: &Environment) -> Result<Secret, SecretError> {
    let text = secret.expose();
    if let Some(name) = text.strip_prefix("env:") {
        let name = name.trim();
        let value = environment.text(name).ok_or_else(|| SecretError(PlaceProblem::NotSet(name.to_owned())))?;
        return Ok(Secret::new(value));
    }
    if let Some(path) = text.strip_prefix("file:") {
        return read(&environment.expand(Path::new(path.trim())));
    }
    if keychain_name(secret).is_some_and(|name| !is_name(name)) {
        return Err(SecretError(PlaceProblem::BadSecretName));
    }
    Ok(Secret::new(text.trim()))
}

/// The secret itself, out of the keychain if it stands there. Nobody is asked to unlock it; ends within a limit.
pub async fn fetch(secret: &Secret) -> Result<Secret, SecretError> {
    let Some(name) = keychain_name(secret) else { return Ok(secret.clone()) };
    match keychain::get(name, Asking::Forbidden).await {
        Ok(Some(found)) => Ok(Secret::new(found.trim())),
        Ok(None) => Err(SecretError(PlaceProblem::NotInKeychain(name.to_owned()))),
        Err(error) => Err(SecretError(PlaceProblem::Keychain(error))),
    }
}

fn read(path: &Path) -> Result<Secret, SecretError> {
    let place = path.display().to_string();
    let unreadable = |cause: std::io::Error| {
        SecretError(PlaceProblem::Unreadable { place: place.clone(), cause: cause.to_string() })
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError(PlaceProblem::FileTooOpen { place, mode }));
    }
    let mut text = String::new();
    file.take(LARGEST).read_to_string(&mut text).map_err(unreadable)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(SecretError(PlaceProblem::Empty(place)));
    }
    Ok(Secret::new(text))
}

/// Why a secret could not be had. Never contains one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.say(Language::English))]
pub struct SecretError(pub PlaceProblem);

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_comes_from_the_text_a_variable_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("webhook");
        std::fs::write(&file, "from-file\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let environment = Environment::default().with([("HOOK", "from-variable")]);
        let follow = |text: &str| resolve(&Secret::new(text), &environment).unwrap().expose().to_owned();
        assert_eq!(follow("from-text"), "from-text");
        assert_eq!(follow("env:HOOK"), "from-variable");
        assert_eq!(follow(&format!("file:{}", file.display())), "from-file");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("webhook");
        std::fs::write(&file, "hunter2").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let problem = resolve(&Secret::new(format!("file:{}", file.display())), &Environment::default()).unwrap_err();
        assert!(problem.to_string().contains("chmod 600"), "{problem}");
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
    }

    #[test]
    fn a_missing_variable_is_named() {
        let problem = resolve(&Secret::new("env:NO_SUCH"), &Environment::default()).unwrap_err();
        assert!(problem.to_string().contains("NO_SUCH"), "{problem}");
    }
}
