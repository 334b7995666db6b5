//! An address to post to: whoever knows it can post, too, so it never prints itself.

use std::fmt;

use reqwest::Url;
use thiserror::Error;

/// An address that is a secret as a whole.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

/// Why a text is no address to post to. None of the messages repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SecretUrlError {
    /// Not an address at all.
    #[error("this is not a web address: copy it whole from where it was made")]
    NotAnAddress,
    /// Readable on the way.
    #[error("the address must begin with https:// (http:// is only allowed for this very machine)")]
    NotSecure,
    /// One of Discord's pages, but not a webhook.
    #[error(
        "this is an address of Discord's, but not a webhook's: those look like https://discord.com/api/webhooks/<number>/<token>"
    )]
    NotAWebhook,
}

impl SecretUrl {
    /// Reads an address: https, or http to this very machine.
    pub fn parse(text: &str) -> Result<Self, SecretUrlError> {
        let url = Url::parse(text.trim()).map_err(|_| SecretUrlError::NotAnAddress)?;
        Self::new(url)
    }

    /// Checks an address that is already one.
    pub fn new(url: Url) -> Result<Self, SecretUrlError> {
        let host = url.host_str().ok_or(SecretUrlError::NotAnAddress)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(host) => {}
            "http" => return Err(SecretUrlError::NotSecure),
            _ => return Err(SecretUrlError::NotAnAddress),
        }
        let of_discord = ["discord.com", "discordapp.com"]
            .iter()
            .any(|name| host == *name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')));
        if of_discord && !is_webhook_path(url.path()) {
            return Err(SecretUrlError::NotAWebhook);
        }
        Ok(Self(url))
    }

    /// The address itself, for the request and nothing else.
    pub(crate) fn expose(&self) -> &Url {
        &self.0
    }

    /// Whether it leads to this very machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.0.host_str().is_some_and(is_loopback)
    }
}

/// `/api/webhooks/<number>/<token>`, with or without a version such as `/v10`.
fn is_webhook_path(path: &str) -> bool {
    let mut parts = path.trim_matches('/').split('/');
    if parts.next() != Some("api") {
        return false;
    }
    let mut part = parts.next();
    if part.is_some_and(|part| part.starts_with('v')) {
        part = parts.next();
    }
    part == Some("webhooks")
        && parts.next().is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        && parts.next().is_some_and(|token| !token.is_empty())
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretUrl(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "aBcDeFgHiJkLmNoP";

    #[test]
    fn it_never_prints_itself() {
        let url = SecretUrl::parse(&format!("https://discord.com/api/webhooks/123/{TOKEN}")).unwrap();
        assert_eq!(format!("{url:?}"), "SecretUrl(hidden)");
    }

    #[test]
    fn a_webhook_is_told_from_what_only_looks_like_one() {
        let parse = |text: &str| SecretUrl::parse(text).map(|_| ());
        assert_eq!(parse(" https://discord.com/api/webhooks/123/abc\n"), Ok(()));
        assert_eq!(parse("https://ptb.discord.com/api/v10/webhooks/123/abc?thread_id=5"), Ok(()));
        assert_eq!(parse("https://relay.example.org/hook"), Ok(()), "a relay of one's own");
        assert_eq!(parse("http://127.0.0.1:8080/api/webhooks/1/x"), Ok(()));
        assert_eq!(parse("http://[::1]:8080/x"), Ok(()));
        assert_eq!(parse("http://discord.com/api/webhooks/123/abc"), Err(SecretUrlError::NotSecure));
        assert_eq!(parse("https://discord.com/channels/1/2"), Err(SecretUrlError::NotAWebhook));
        assert_eq!(parse("https://discord.com/api/webhooks/123"), Err(SecretUrlError::NotAWebhook));
        assert_eq!(parse("https://discord.com/api/webhooks/abc/def"), Err(SecretUrlError::NotAWebhook));
        assert_eq!(parse("file:///etc/passwd"), Err(SecretUrlError::NotAnAddress));
        assert_eq!(parse("webhook"), Err(SecretUrlError::NotAnAddress));
    }

    #[test]
    fn no_error_repeats_the_address() {
        for text in [format!("http://discord.com/api/webhooks/1/{TOKEN}"), format!("not an address {TOKEN}")] {
            let error = SecretUrl::parse(&text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(TOKEN));
        }
    }
}
