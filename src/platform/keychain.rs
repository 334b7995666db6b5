//! The system's keychain: the Secret Service on Linux, the Keychain on macOS. Every call ends within a limit, and one
//! that a person is not asked for never waits for a person.

use std::time::Duration;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;

/// Limit where nobody is asked.
const QUIET_LIMIT: Duration = Duration::from_secs(5);
/// Limit where the system may ask a person to unlock the keychain.
const ASKING_LIMIT: Duration = Duration::from_mins(1);

/// What the keychain calls us: an attribute of every item on Linux, the service on macOS.
const APPLICATION: &str = "lifeguard";

/// Whether the system may ask a person to unlock the keychain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// A person sits there and waits for this.
    Allowed,
    /// Nobody is disturbed.
    Forbidden,
}

/// Why the keychain could not be used. Never contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// There is none here.
    #[error("there is no keychain here ({0})")]
    Missing(String),
    /// It is locked, and nobody unlocked it.
    #[error("the keychain is locked")]
    Locked,
    /// It did not answer in time.
    #[error("the keychain did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It refused.
    #[error("the keychain refused: {0}")]
    Refused(String),
}

/// The secret of this name; `None` if there is none.
pub async fn get(name: &str, asking: Asking) -> Result<Option<String>, KeychainError> {
    within(asking, system::get(name, asking)).await
}

/// Keeps a secret under this name, in place of the one that was there.
pub async fn set(name: &str, secret: &str) -> Result<(), KeychainError> {
    within(Asking::Allowed, system::set(name, secret)).await
}

/// Forgets the secret of this name; says whether there was one.
pub async fn remove(name: &str) -> Result<bool, KeychainError> {
    within(Asking::Allowed, system::remove(name)).await
}

/// The names of all our secrets, in alphabetical order.
pub async fn names() -> Result<Vec<String>, KeychainError> {
    let mut names = within(Asking::Allowed, system::names()).await?;
    names.sort();
    names.dedup();
    Ok(names)
}

async fn within<T>(asking: Asking, work: impl Future<Output = Result<T, KeychainError>>) -> Result<T, KeychainError> {
    let limit = match asking {
        Asking::Allowed => ASKING_LIMIT,
        Asking::Forbidden => QUIET_LIMIT,
    };
    tokio::time::timeout(limit, work).await.unwrap_or(Err(KeychainError::TimedOut(limit)))
}
