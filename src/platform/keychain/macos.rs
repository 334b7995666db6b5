//! macOS: generic passwords of the login keychain. The calls may wait for a person, so each runs on a thread of its
//! own; while one waits there is no second one.

use std::sync::atomic::{AtomicBool, Ordering};

use security_framework::base::Error;
use security_framework::item::{ItemClass, ItemSearchOptions, Limit, SearchResult};
use security_framework::passwords::{delete_generic_password, get_generic_password, set_generic_password};
use tokio::sync::oneshot;

use super::{APPLICATION, Asking, KeychainError, QUIET_LIMIT};

/// `errSecItemNotFound`, `errSecInteractionNotAllowed`, `errSecUserCanceled`, `errSecAuthFailed` (`SecBase.h`).
const NOT_FOUND: i32 = -25300;
const NO_INTERACTION: i32 = -25308;
const CANCELED: i32 = -128;
const NOT_AUTHORISED: i32 = -25293;

/// A call waits, perhaps for a person.
static BUSY: AtomicBool = AtomicBool::new(false);

pub(super) async fn get(name: &str, _: Asking) -> Result<Option<String>, KeychainError> {
    let name = name.to_owned();
    let secret = beside(move || get_generic_password(APPLICATION, &name)).await?;
    let Some(secret) = secret else { return Ok(None) };
    String::from_utf8(secret).map(Some).map_err(|_| KeychainError::Refused("the secret is not text".to_owned()))
}

pub(super) async fn set(name: &str, secret: &str) -> Result<(), KeychainError> {
    let (name, secret) = (name.to_owned(), secret.to_owned());
    beside(move || set_generic_password(APPLICATION, &name, secret.as_bytes())).await.map(|_| ())
}

pub(super) async fn remove(name: &str) -> Result<bool, KeychainError> {
    let name = name.to_owned();
    Ok(beside(move || delete_generic_password(APPLICATION, &name)).await?.is_some())
}

pub(super) async fn names() -> Result<Vec<String>, KeychainError> {
    let found = beside(|| {
        let mut search = ItemSearchOptions::new();
        search.class(ItemClass::generic_password()).service(APPLICATION).load_attributes(true).limit(Limit::All);
        let found = search.search()?;
        // What the framework gives stays on this thread: only names leave it.
        let items = found.iter().filter_map(SearchResult::simplify_dict);
        Ok(items.filter_map(|mut item| item.remove("acct")).collect())
    });
    Ok(found.await?.unwrap_or_default())
}

/// Runs a call on a thread of its own; `None`: no such item.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<Option<T>, KeychainError> {
    if BUSY.swap(true, Ordering::AcqRel) {
        return Err(KeychainError::TimedOut(QUIET_LIMIT));
    }
    let (reply, answer) = oneshot::channel();
    let thread = std::thread::Builder::new().name("keychain".to_owned());
    let spawned = thread.spawn(move || {
        let done = work();
        BUSY.store(false, Ordering::Release);
        // Nobody waits any more: the limit has passed.
        let _ = reply.send(done);
    });
    if let Err(cause) = spawned {
        BUSY.store(false, Ordering::Release);
        return Err(KeychainError::Refused(cause.to_string()));
    }
    match answer.await {
        Ok(Ok(value)) => Ok(Some(value)),
        Ok(Err(error)) => match error.code() {
            NOT_FOUND => Ok(None),
            NO_INTERACTION | CANCELED | NOT_AUTHORISED => Err(KeychainError::Locked),
            _ => Err(KeychainError::Refused(error.to_string())),
        },
        Err(_) => Err(KeychainError::Refused("its thread ended".to_owned())),
    }
}
