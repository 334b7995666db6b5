//! The way every HTTP client of the process begins.

use std::sync::Once;

use reqwest::{Client, ClientBuilder};

/// A builder for a client. reqwest is built without a provider of cryptography (the usual one does not cross-compile
/// to macOS) and panics if the process has none, so the process gets one first.
pub fn client() -> ClientBuilder {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("another part of the process has installed a provider of cryptography: that one serves");
        }
    });
    Client::builder()
}

/// A builder for a client that talks to this very machine, unencrypted: no proxy, no redirects, and no certificates,
/// whose loading would cost more than everything else.
pub fn local_client() -> ClientBuilder {
    client().no_proxy().redirect(reqwest::redirect::Policy::none()).tls_certs_only([])
}
