//! An app of two small executables: whole, and with everything that could be wrong.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the way to fail")]

use std::path::PathBuf;

use apple_codesign::UniversalBinaryBuilder;
use tempfile::TempDir;

use super::*;
use crate::{assemble, sign};

/// The libraries that an app of ours names, for an executable that has no other use.
struct World {
    folder: TempDir,
    source: Source,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap(), source: Source::find().unwrap() };
        let executables = [world.executable(ARM64, 13), world.executable(X86_64, 13)];
        world.build(&executables);
        world
    }

    fn build(&self, executables: &[PathBuf]) {
        let app = assemble::assemble(&self.source, executables, self.folder.path()).unwrap();
        sign::sign(&app, &self.source.identifier().unwrap(), None).unwrap();
        archive::pack(&app, &self.source.version).unwrap();
    }

    fn executable(&self, machine: u32, system: u32) -> PathBuf {
        let path = self.folder.path().join(format!("{machine}"));
        fs::write(&path, mach_o(machine, system, &FRAMEWORKS)).unwrap();
        path
    }

    fn app(&self) -> PathBuf {
        self.folder.path().join(APP)
    }

    fn problems(&self) -> Vec<String> {
        let machines = ["arm64", "x86_64"].map(str::to_owned);
        verify(&self.source, self.folder.path(), &machines).problems
    }

    /// Exactly what is wrong is told, and one of the problems has these words.
    fn fails(&self, words: &str) {
        let problems = self.problems();
        assert!(problems.iter().any(|problem| problem.contains(words)), "{words:?} is not in {problems:#?}");
    }
}

const ARM64: u32 = 0x0100_000c;
const X86_64: u32 = 0x0100_0007;

const FRAMEWORKS: [&str; 3] = [
    "/System/Library/Frameworks/AppKit.framework/Versions/A/AppKit",
    "/System/Library/Frameworks/UserNotifications.framework/Versions/A/UserNotifications",
    "/System/Library/Frameworks/ServiceManagement.framework/Versions/A/ServiceManagement",
];

/// The smallest Mach-O executable that can be signed: load commands, one page of text, an empty `__LINKEDIT`.
fn mach_o(machine: u32, system: u32, libraries: &[&str]) -> Vec<u8> {
    const PAGE: u64 = 0x4000;
    let segment = |name: &str, address: u64, size: u64, offset: u64, length: u64, access: u32| {
        let mut bytes = words(&[0x19, 72]);
        bytes.extend(padded(name.as_bytes(), 16));
        for value in [address, size, offset, length] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(words(&[access, access, 0, 0]));
        bytes
    };
    // A section at the end of the page leaves room for the signature's load command.
    let mut text = words(&[0x19, 152]);
    text.extend(padded(b"__TEXT", 16));
    for value in [1 << 32, PAGE, 0, PAGE] {
        text.extend(u64::to_le_bytes(value));
    }
    text.extend(words(&[5, 5, 1, 0]));
    text.extend(padded(b"__text", 16));
    text.extend(padded(b"__TEXT", 16));
    text.extend(((1_u64 << 32) + PAGE - 16).to_le_bytes());
    text.extend(16_u64.to_le_bytes());
    text.extend(words(&[0x3ff0, 0, 0, 0, 0, 0, 0, 0]));
    let mut commands = vec![text, segment("__LINKEDIT", (1 << 32) + PAGE, PAGE, PAGE, 16, 1)];
    commands.push(words(&[0x32, 24, 1, system << 16, system << 16, 0]));
    for library in libraries {
        let name = padded(library.as_bytes(), (library.len() + 8) & !7);
        let mut bytes = words(&[0xc, u32::try_from(24 + name.len()).unwrap(), 24, 0, 0, 0]);
        bytes.extend(name);
        commands.push(bytes);
    }
    let size: usize = commands.iter().map(Vec::len).sum();
    let (count, size) = (u32::try_from(commands.len()).unwrap(), u32::try_from(size).unwrap());
    let mut file = words(&[0xfeed_facf, machine, 0, 2, count, size, 0x0020_0085, 0]);
    file.extend(commands.concat());
    padded(&file, usize::try_from(PAGE).unwrap() + 16)
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn padded(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(length, 0);
    bytes
}

#[test]
fn a_whole_app_has_no_problem() {
    let world = World::new();
    assert_eq!(world.problems(), [""; 0]);
    let machines = ["arm64", "x86_64"].map(str::to_owned);
    let facts = verify(&world.source, world.folder.path(), &machines).facts.join("\n");
    assert!(facts.contains("arm64 and x86_64 for macOS 13.0"), "{facts}");
    assert!(facts.contains("RUNTIME"), "{facts}");
}

#[test]
fn the_same_app_gives_the_same_zip() {
    let world = World::new();
    let zip = archive::path(world.folder.path(), &world.source.version);
    let first = fs::read(&zip).unwrap();
    archive::pack(&world.app(), &world.source.version).unwrap();
    assert_eq!(fs::read(&zip).unwrap(), first);
}

#[test]
fn changes_after_signing_are_found() {
    let world = World::new();
    let executable = world.app().join(EXECUTABLE);
    let mut code = fs::read(&executable).unwrap();
    // In the text of the first slice, behind the load commands.
    code[0x4000 + 0x3000] ^= 1;
    fs::write(&executable, &code).unwrap();
    world.fails("its code has changed since it was signed");

    let world = World::new();
    let info = world.app().join("Contents/Info.plist");
    let text = fs::read_to_string(&info).unwrap().replace("13.0", "12.0");
    fs::write(&info, text).unwrap();
    world.fails("Contents/Info.plist has changed since it was signed");
    world.fails("it is not the project's own");
    world.fails("Info.plist says 12.0");

    let world = World::new();
    fs::write(world.app().join("Contents/Resources/LICENSE"), "mine").unwrap();
    world.fails("Resources/LICENSE has changed since it was signed");
    world.fails("Lifeguard.app/Contents/Resources/LICENSE is another file");

    let world = World::new();
    fs::write(world.app().join("Contents/Resources/more"), "more").unwrap();
    world.fails("more is not sealed");
    fs::write(world.app().join("Contents/MacOS/more"), "more").unwrap();
    world.fails("there is something beside it");
}

#[test]
fn an_executable_that_macos_would_not_take_is_found() {
    let world = World::new();
    let executable = world.app().join(EXECUTABLE);
    fs::write(&executable, "#!/bin/sh\nexec lifeguard-bin\n").unwrap();
    world.fails("it is no Mach-O file");
    fs::write(&executable, mach_o(ARM64, 13, &FRAMEWORKS)).unwrap();
    world.fails("it is not signed");
    world.fails("[\"arm64\"] and not for [\"arm64\", \"x86_64\"]");
    fs::set_permissions(&executable, fs::Permissions::from_mode(0o644)).unwrap();
    world.fails("its mode is not 755");

    world.build(&[world.executable(ARM64, 14), world.executable(X86_64, 13)]);
    world.fails("arm64: it needs macOS 14.0.0, and Info.plist says 13.0");

    let mut builder = UniversalBinaryBuilder::default();
    builder.add_binary(mach_o(ARM64, 13, &["/opt/homebrew/lib/libssl.dylib"])).unwrap();
    let mut file = Vec::new();
    builder.write(&mut file).unwrap();
    fs::write(&executable, file).unwrap();
    fs::set_permissions(&executable, fs::Permissions::from_mode(0o755)).unwrap();
    world.fails("libssl.dylib is not part of every Mac");
}

#[test]
fn a_missing_part_is_found() {
    let world = World::new();
    fs::remove_file(world.app().join("Contents/Resources/ko.lproj/InfoPlist.strings")).unwrap();
    world.fails("ko: no property list");
    fs::write(world.app().join(ICON), "icns").unwrap();
    world.fails("it is no icns file");
    fs::write(world.app().join("Contents/PkgInfo"), "BNDL????").unwrap();
    world.fails("PkgInfo says");
    fs::remove_file(archive::path(world.folder.path(), &world.source.version)).unwrap();
    world.fails("cannot read");
}

#[test]
fn what_is_no_executable_is_not_packed() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    let refused = assemble::assemble(&Source::find().unwrap(), &[script], folder.path()).unwrap_err();
    assert!(format!("{refused:#}").contains("is no Mach-O file"), "{refused:#}");
}
