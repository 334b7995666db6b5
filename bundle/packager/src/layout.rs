//! Where the parts come from, and where in the app they belong.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use plist::{Dictionary, Value};

/// The app's folder.
pub const APP: &str = "Lifeguard.app";

/// Where the executable is, below the app.
pub const EXECUTABLE: &str = "Contents/MacOS/lifeguard";

/// Where the icon is, below the app.
pub const ICON: &str = "Contents/Resources/AppIcon.icns";

/// Where the list of sealed files is, below the app.
pub const SEAL: &str = "Contents/_CodeSignature/CodeResources";

/// What stands in `PkgInfo`: an application without a creator code.
pub const PKG_INFO: &str = "APPL????";

/// The project that the app is packed from.
#[derive(Debug)]
pub struct Source {
    /// Its folder.
    pub root: PathBuf,
    /// Its version, as `Cargo.toml` has it.
    pub version: String,
}

impl Source {
    /// The project that this packager is part of.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("no project folder")?.to_path_buf();
        let manifest = root.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
        let table: toml::Table = text.parse().with_context(|| format!("{} is no TOML", manifest.display()))?;
        let version = table.get("package").and_then(|package| package.get("version")?.as_str());
        Ok(Self { root, version: version.context("Cargo.toml names no version")?.to_owned() })
    }

    /// `Info.plist` with the version filled in.
    pub fn info(&self) -> Result<Dictionary> {
        let path = self.root.join("Info.plist");
        let value = Value::from_file(&path).with_context(|| format!("{} is no property list", path.display()))?;
        let Value::Dictionary(mut info) = value else { bail!("{} is no dictionary", path.display()) };
        for key in ["CFBundleShortVersionString", "CFBundleVersion"] {
            info.insert(key.to_owned(), Value::from(self.version.as_str()));
        }
        Ok(info)
    }

    /// The app's identifier.
    pub fn identifier(&self) -> Result<String> {
        let info = self.info()?;
        let identifier = text(&info, "CFBundleIdentifier").context("Info.plist names no CFBundleIdentifier")?;
        Ok(identifier.to_owned())
    }
}

/// The text of a key.
pub fn text<'a>(info: &'a Dictionary, key: &str) -> Option<&'a str> {
    info.get(key)?.as_string()
}

/// The languages that the app says it speaks.
pub fn languages(info: &Dictionary) -> Vec<&str> {
    let languages = info.get("CFBundleLocalizations").and_then(Value::as_array);
    languages.into_iter().flatten().filter_map(Value::as_string).collect()
}
