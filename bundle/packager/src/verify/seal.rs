//! What is sealed: the code by its pages, `Info.plist` and the list of resources by the code, resources by the list.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use apple_codesign::cryptography::DigestType;
use apple_codesign::{CodeSignatureFlags, CodeSigningSlot, MachOBinary};
use plist::Value;

use crate::archive::tree;
use crate::layout::{EXECUTABLE, SEAL};

/// Checks the signature of the code for one kind of machine; gives its flags.
pub fn signature(app: &Path, identifier: &str, code: &MachOBinary<'_>) -> Result<String> {
    let signature = code.code_signature()?.context("it is not signed")?;
    let directory = signature.code_directory()?.context("its signature has no code directory")?;
    let flags = directory.flags;
    // What a linker signs binds nothing, and macOS drops the notifications of such an app without a word.
    ensure!(!flags.contains(CodeSignatureFlags::LINKER_SIGNED), "its signature is the linker's");
    ensure!(flags.contains(CodeSignatureFlags::RUNTIME), "it has not the hardened runtime");
    let is_ad_hoc = signature.signature_data()?.is_none_or(<[u8]>::is_empty);
    ensure!(flags.contains(CodeSignatureFlags::ADHOC) == is_ad_hoc, "it is ad hoc in one place only");
    ensure!(directory.ident == identifier, "it is signed for {}", directory.ident);
    ensure!(directory.digest_type == DigestType::Sha256, "its digests are {}", directory.digest_type);

    let bound = [(CodeSigningSlot::Info, "Contents/Info.plist"), (CodeSigningSlot::ResourceDir, SEAL)];
    for (slot, file) in bound {
        let digest = directory.special_digests.get(&slot).with_context(|| format!("{file} is not bound"))?;
        let found = DigestType::Sha256.digest_data(&fs::read(app.join(file))?)?;
        ensure!(digest.data.as_ref() == found, "{file} has changed since it was signed");
    }
    let page = usize::try_from(directory.page_size)?;
    let pages = code.code_digests(DigestType::Sha256, page)?;
    let sealed: Vec<&[u8]> = directory.code_digests.iter().map(|digest| digest.data.as_ref()).collect();
    ensure!(pages == sealed, "its code has changed since it was signed");
    Ok(format!("{flags:?}"))
}

/// Checks every sealed file, and that every file is sealed.
pub fn check(app: &Path) -> Result<String> {
    let list = Value::from_file(app.join(SEAL)).with_context(|| format!("{SEAL} is no property list"))?;
    let files = list.as_dictionary().and_then(|list| list.get("files2")?.as_dictionary());
    let files = files.with_context(|| format!("{SEAL} lists no files"))?;
    let contents = app.join("Contents");
    let mut sealed = BTreeSet::new();
    for (name, value) in files {
        let digest = value.as_dictionary().and_then(|value| value.get("hash2")?.as_data());
        let digest = digest.with_context(|| format!("{name} has no SHA-256"))?;
        let bytes = fs::read(contents.join(name)).with_context(|| format!("{name} is sealed and missing"))?;
        ensure!(DigestType::Sha256.digest_data(&bytes)? == digest, "{name} has changed since it was signed");
        sealed.insert(contents.join(name));
    }
    // These seal the others, or are sealed by the code itself.
    let seals = [app.join(SEAL), app.join(EXECUTABLE), contents.join("Info.plist"), contents.join("PkgInfo")];
    for path in tree(app)?.into_iter().filter(|path| path.is_file()) {
        ensure!(sealed.contains(&path) || seals.contains(&path), "{} is not sealed", path.display());
    }
    Ok(format!("{}, none other", sealed.len()))
}
