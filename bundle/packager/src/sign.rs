//! The signature: ad hoc, or with a Developer ID.
//!
//! Nobody has tried the Developer ID and the notary service yet: that needs an account with Apple.

use std::path::Path;

use anyhow::{Context, Result};
use apple_codesign::cryptography::{InMemoryPrivateKey, parse_pfx_data};
use apple_codesign::{CodeSignatureFlags, SettingsScope, SigningSettings, UnifiedSigner};

/// Apple's time stamps, which a notarized app must have.
const TIME_STAMPS: &str = "http://timestamp.apple.com/ts01";

/// A Developer ID.
pub struct Identity {
    certificate: Vec<u8>,
    password: String,
}

impl Identity {
    /// The one that the environment names, if any.
    pub fn of_environment() -> Result<Option<Self>> {
        let Some(path) = std::env::var_os("LIFEGUARD_SIGN_P12") else { return Ok(None) };
        let certificate = std::fs::read(&path).context("cannot read the file that LIFEGUARD_SIGN_P12 names")?;
        let file = std::env::var_os("LIFEGUARD_SIGN_PASSWORD_FILE");
        let file = file.context("LIFEGUARD_SIGN_PASSWORD_FILE must name a file with the certificate's password")?;
        let password = std::fs::read_to_string(file).context("cannot read the certificate's password")?;
        Ok(Some(Self { certificate, password: password.trim_end_matches(['\r', '\n']).to_owned() }))
    }
}

/// Signs the app as a bundle: `Info.plist` and resources are bound to the executable, which gets the hardened runtime.
pub fn sign(app: &Path, identifier: &str, identity: Option<&Identity>) -> Result<()> {
    let key: InMemoryPrivateKey;
    let mut settings = SigningSettings::default();
    settings.set_binary_identifier(SettingsScope::Main, identifier);
    settings.set_code_signature_flags(SettingsScope::Main, CodeSignatureFlags::RUNTIME);
    if let Some(identity) = identity {
        let (certificate, private) = parse_pfx_data(&identity.certificate, &identity.password)
            .context("the certificate cannot be opened with this password")?;
        key = private;
        settings.set_signing_key(&key, certificate);
        settings.chain_apple_certificates();
        settings.set_team_id_from_signing_certificate();
        settings.set_time_stamp_url(TIME_STAMPS)?;
        settings.set_for_notarization(true);
    }
    UnifiedSigner::new(settings).sign_path_in_place(app).context("cannot sign the app")
}

/// Has Apple look at the app and staples its answer, where the environment names a key for that.
#[cfg(feature = "notarize")]
pub fn notarize(app: &Path) -> Result<()> {
    /// How long Apple may take; it is usually done within minutes.
    const LIMIT: std::time::Duration = std::time::Duration::from_hours(1);

    let Some(key) = std::env::var_os("LIFEGUARD_NOTARY_KEY") else { return Ok(()) };
    let notary = apple_codesign::Notarizer::from_api_key(Path::new(&key)).context("LIFEGUARD_NOTARY_KEY is no key")?;
    notary.notarize_path(app, Some(LIMIT)).context("Apple has not notarized the app")?;
    let stapler = apple_codesign::stapling::Stapler::new()?;
    stapler.staple_path(app).context("the app is notarized, but its ticket cannot be stapled")
}

/// Refuses a key that this build has no use for.
#[cfg(not(feature = "notarize"))]
pub fn notarize(_app: &Path) -> Result<()> {
    anyhow::ensure!(
        std::env::var_os("LIFEGUARD_NOTARY_KEY").is_none(),
        "LIFEGUARD_NOTARY_KEY is set: build the packager with `--features notarize`"
    );
    Ok(())
}
