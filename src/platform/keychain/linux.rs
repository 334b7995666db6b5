//! Linux: the Secret Service (`org.freedesktop.secrets`, specification 0.2) on the session bus, as GNOME Keyring,
//! `KWallet` and `KeePassXC` offer it.
//!
//! Secrets cross the bus in its "plain" form: the bus is a socket that only this user can reach, and who can read its
//! traffic can read our memory as well.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;

use serde::de::DeserializeOwned;
use zbus::export::futures_core::Stream;
use zbus::{Connection, DynamicType, MatchRule, MessageStream, OwnedObjectPath, OwnedVariant, Type, Variant, fdo};

use super::{APPLICATION, Asking, KeychainError};

const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";

/// The path that stands for none.
const NOTHING: &str = "/";

/// A secret on the bus: session, parameters, value, type.
type Wrapped = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// A conversation with the service.
struct Session {
    connection: Connection,
    path: OwnedObjectPath,
}

pub(super) async fn get(name: &str, asking: Asking) -> Result<Option<String>, KeychainError> {
    let session = Session::open().await?;
    let Some(item) = session.find(&attributes(Some(name))).await?.into_iter().next() else { return Ok(None) };
    session.unlock(&item, asking).await?;
    let (secret,): (Wrapped,) = session.call(item.as_str(), ITEM, "GetSecret", &(&session.path,)).await?;
    String::from_utf8(secret.2).map(Some).map_err(|_| KeychainError::Refused("the secret is not text".to_owned()))
}

pub(super) async fn set(name: &str, secret: &str) -> Result<(), KeychainError> {
    let session = Session::open().await?;
    let (collection,): (OwnedObjectPath,) = session.call(PATH, SERVICE, "ReadAlias", &("default",)).await?;
    if collection.as_str() == NOTHING {
        return Err(KeychainError::Missing("it has no default collection".to_owned()));
    }
    session.unlock(&collection, Asking::Allowed).await?;
    let label = format!("Lifeguard: {name}");
    let properties: HashMap<&str, Variant<'_>> = HashMap::from([
        ("org.freedesktop.Secret.Item.Label", Variant::from(label)),
        ("org.freedesktop.Secret.Item.Attributes", Variant::from(attributes(Some(name)))),
    ]);
    let secret = (&session.path, Vec::<u8>::new(), secret.as_bytes(), "text/plain; charset=utf8");
    let body = (properties, secret, true);
    let (_, prompt): (OwnedObjectPath, OwnedObjectPath) =
        session.call(collection.as_str(), COLLECTION, "CreateItem", &body).await?;
    session.answer(&prompt, Asking::Allowed).await
}

pub(super) async fn remove(name: &str) -> Result<bool, KeychainError> {
    let session = Session::open().await?;
    let items = session.find(&attributes(Some(name))).await?;
    for item in &items {
        session.unlock(item, Asking::Allowed).await?;
        let (prompt,): (OwnedObjectPath,) = session.call(item.as_str(), ITEM, "Delete", &()).await?;
        session.answer(&prompt, Asking::Allowed).await?;
    }
    Ok(!items.is_empty())
}

pub(super) async fn names() -> Result<Vec<String>, KeychainError> {
    let session = Session::open().await?;
    let mut names = Vec::new();
    for item in session.find(&attributes(None)).await? {
        let (attributes,): (OwnedVariant,) =
            session.call(item.as_str(), "org.freedesktop.DBus.Properties", "Get", &(ITEM, "Attributes")).await?;
        let attributes = HashMap::<String, String>::try_from(attributes).map_err(|error| refused(&error))?;
        names.extend(attributes.get("name").cloned());
    }
    Ok(names)
}

/// By what our items are found: all, or the one of this name.
fn attributes(name: Option<&str>) -> HashMap<&'static str, String> {
    let mut attributes = HashMap::from([("application", APPLICATION.to_owned())]);
    attributes.extend(name.map(|name| ("name", name.to_owned())));
    attributes
}

impl Session {
    async fn open() -> Result<Self, KeychainError> {
        let connection = zbus::connection::Builder::session().build().await;
        let connection = connection.map_err(|error| KeychainError::Missing(format!("no session bus: {error}")))?;
        let body = ("plain", Variant::from(""));
        let (_, path) =
            call::<(OwnedVariant, OwnedObjectPath)>(&connection, PATH, SERVICE, "OpenSession", &body).await?;
        Ok(Self { connection, path })
    }

    async fn call<R: DeserializeOwned + Type>(
        &self,
        path: &str,
        interface: &'static str,
        method: &'static str,
        body: &(impl serde::Serialize + DynamicType + Sync),
    ) -> Result<R, KeychainError> {
        call(&self.connection, path, interface, method, body).await
    }

    /// Our items, unlocked ones first.
    async fn find(&self, attributes: &HashMap<&str, String>) -> Result<Vec<OwnedObjectPath>, KeychainError> {
        let (mut unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
            self.call(PATH, SERVICE, "SearchItems", &(attributes,)).await?;
        unlocked.extend(locked);
        Ok(unlocked)
    }

    async fn unlock(&self, path: &OwnedObjectPath, asking: Asking) -> Result<(), KeychainError> {
        let (unlocked, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.call(PATH, SERVICE, "Unlock", &(vec![path],)).await?;
        if unlocked.contains(path) {
            return Ok(());
        }
        self.answer(&prompt, asking).await
    }

    /// Lets the service ask a person, if it wants to and may.
    async fn answer(&self, prompt: &OwnedObjectPath, asking: Asking) -> Result<(), KeychainError> {
        if prompt.as_str() == NOTHING {
            return Ok(());
        }
        if asking == Asking::Forbidden {
            let _: () = self.call(prompt.as_str(), PROMPT, "Dismiss", &()).await?;
            return Err(KeychainError::Locked);
        }
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface(PROMPT)
            .member("Completed")
            .path(prompt.as_str())
            .build()
            .map_err(|error| refused(&error))?;
        let stream = MessageStream::for_match_rule(rule, &self.connection, None).await;
        let mut signals = stream.map_err(|error| refused(&error))?;
        let _: () = self.call(prompt.as_str(), PROMPT, "Prompt", &("",)).await?;
        let Some(Ok(message)) = poll_fn(|context| Pin::new(&mut signals).poll_next(context)).await else {
            return Err(KeychainError::Missing("the session bus is gone".to_owned()));
        };
        let (dismissed, _): (bool, OwnedVariant) = message.body().deserialize().map_err(|error| refused(&error))?;
        if dismissed { Err(KeychainError::Locked) } else { Ok(()) }
    }
}

async fn call<R: DeserializeOwned + Type>(
    connection: &Connection,
    path: &str,
    interface: &'static str,
    method: &'static str,
    body: &(impl serde::Serialize + DynamicType + Sync),
) -> Result<R, KeychainError> {
    let answer = connection.call_method(Some(NAME), path, Some(interface), method, body).await;
    let message = answer.map_err(|error| problem(&error))?;
    message.body().deserialize().map_err(|error| refused(&error))
}

fn problem(error: &zbus::Error) -> KeychainError {
    match error {
        zbus::Error::FDO(cause) if matches!(**cause, fdo::Error::ServiceUnknown(_) | fdo::Error::NameHasNoOwner(_)) => {
            KeychainError::Missing("nobody offers the Secret Service".to_owned())
        }
        zbus::Error::MethodError(name, _, _) if name.as_str() == "org.freedesktop.Secret.Error.IsLocked" => {
            KeychainError::Locked
        }
        zbus::Error::MethodError(name, _, _) if name.as_str().starts_with("org.freedesktop.DBus.Error.Se") => {
            KeychainError::Missing("nobody offers the Secret Service".to_owned())
        }
        other => refused(other),
    }
}

fn refused(error: &impl std::fmt::Display) -> KeychainError {
    KeychainError::Refused(error.to_string())
}
