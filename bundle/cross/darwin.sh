#!/usr/bin/env bash
# Checks, lints and links the macOS build on Linux (or on a Mac, with its own linker): bundle/cross/darwin.sh --help
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: bundle/cross/darwin.sh check|clippy|link|verify [arm64|x86_64] [cargo arguments…]

  check   type-check the app and its tests
  clippy  the same with clippy; a warning fails
  link    build the executable, with `--release` the one for people, and show the frameworks that it names
  verify  clippy and link in one go: compiles every dependency once

The result cannot run here. A Mac runs it; docs/macos-checklist.md says what to look at there.
Needs, in this order of preference:
  std for macOS   rustup target add aarch64-apple-darwin, or Debian's rustc-web and rust-web-src (and rust-web-clippy)
  C and linker    Zig: the PyPI package ziglang, or `zig` in PATH (ring compiles some C); not needed on a Mac
TEXT
}

fail() {
    echo "darwin.sh: $*" >&2
    exit 1
}

# `tray` brings the frameworks of the menu bar; a build without it needs fewer, and unused stubs do no harm.
frameworks=(
    AppKit ApplicationServices Carbon Cocoa CoreFoundation CoreGraphics CoreLocation CoreServices CoreVideo Foundation
    IOKit OpenDirectory Security ServiceManagement SystemConfiguration UserNotifications
)
deployment_target=13.0

[ $# -ge 1 ] || { usage >&2; exit 2; }
verb=$1
shift
case $verb in
    check | clippy | link | verify) ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac
machine=arm64
case ${1:-} in
    arm64 | x86_64) machine=$1; shift ;;
esac
case $machine in
    arm64) triple=aarch64-apple-darwin; zig_triple=aarch64-macos.$deployment_target ;;
    x86_64) triple=x86_64-apple-darwin; zig_triple=x86_64-macos.$deployment_target ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
export CARGO_TARGET_DIR=$root/target/darwin
export MACOSX_DEPLOYMENT_TARGET=$deployment_target
tools=$CARGO_TARGET_DIR/cross
mkdir -p "$tools"

# --- std for the target -------------------------------------------------------------------------------------------

cargo_options=(--target "$triple")
clippy_driver=clippy-driver
has_std() { compgen -G "$1/lib/rustlib/$triple/lib/libstd-*.rlib" >/dev/null; }
if has_std "$(rustc --print sysroot)"; then
    : # the pinned toolchain has the target installed
elif [ -x /usr/bin/rustc ] && [ -e "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ]; then
    export RUSTC=/usr/bin/rustc
    if ! has_std "$(/usr/bin/rustc --print sysroot)"; then
        # Debian's rustc-web carries no std for macOS, but the sources of rust-web-src match it, and it may build them.
        export RUSTC_BOOTSTRAP=1
        cargo_options+=(-Z "build-std=std,panic_abort")
    fi
    clippy_driver=/usr/bin/clippy-driver
    # rustc strips with rust-objcopy, which Debian's does not have.
    export CARGO_PROFILE_RELEASE_STRIP=none
else
    fail "no std for $triple. Run: rustup target add $triple
  or, on Debian and Ubuntu: apt-get install rustc-web rust-web-src rust-web-clippy"
fi
minimum=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
found=$("${RUSTC:-rustc}" --version | cut -d' ' -f2)
[ "$(printf '%s\n' "$minimum" "$found" | sort -V | head -n 1)" = "$minimum" ] ||
    fail "${RUSTC:-rustc} is $found, and the project needs $minimum or newer; rustup target add $triple avoids it"

# --- C compiler and linker ----------------------------------------------------------------------------------------

write_tool() { # name, text: a tool that did not change keeps its time stamp, so that cargo rebuilds nothing
    local path=$tools/$1
    if ! [ -e "$path" ] || [ "$(cat "$path")" != "$2" ]; then
        printf '%s\n' "$2" >"$path"
    fi
    case $1 in *.sh) chmod +x "$path" ;; esac
}

find_zig() {
    local python
    for python in "$root/target/cache/zig/bin/python3" python3; do
        if "$python" -c 'import ziglang' 2>/dev/null; then
            printf '"%s" -m ziglang' "$(command -v "$python")"
            return
        fi
    done
    command -v zig || fail "Zig is missing. Run: bundle/cross/set-up.sh (it installs the PyPI package ziglang under target/)"
}

write_stubs() { # frameworks are named, not described: every symbol is looked up by the Mac that runs the executable
    local name
    for name in "${frameworks[@]}"; do
        mkdir -p "$tools/stubs/$name.framework"
        write_tool "stubs/$name.framework/$name.tbd" "--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/System/Library/Frameworks/$name.framework/Versions/A/$name'
..."
    done
    for name in libobjc.A libiconv.2; do
        write_tool "stubs/${name%%.*}.tbd" "--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/$name.dylib'
..."
    done
}

if [ "$(uname -s)" != Darwin ]; then
    zig=$(find_zig)
    write_stubs
    # rustc asks for an SDK; it gets the stubs' folder, which Zig must not take for a whole system.
    export SDKROOT=$tools/stubs
    # cc and rustc pass Apple's names of architecture and version, which Zig knows under its own.
    write_tool "cc-$machine.sh" "#!/usr/bin/env bash
arguments=()
while [ \$# -gt 0 ]; do
    case \$1 in
        -arch | -isysroot) shift ;;
        --target=* | -mmacosx-version-min=* | -mmacos-version-min=*) ;;
        *) arguments+=(\"\$1\") ;;
    esac
    shift
done
exec $zig cc -target $zig_triple \"\${arguments[@]}\""
    write_tool "ar.sh" "#!/usr/bin/env bash
exec $zig ar \"\$@\""
    write_tool "ld-$machine.sh" "#!/usr/bin/env bash
exec \"$tools/cc-$machine.sh\" -F \"$tools/stubs\" -L \"$tools/stubs\" -Wl,-undefined,dynamic_lookup \"\$@\""
    variable=${triple//-/_}
    export "CC_$variable=$tools/cc-$machine.sh" "AR_$variable=$tools/ar.sh"
    export "CARGO_TARGET_${variable^^}_LINKER=$tools/ld-$machine.sh"
fi

# --- the work -----------------------------------------------------------------------------------------------------

lint() { # cargo's verb, then its arguments
    command -v "$clippy_driver" >/dev/null ||
        fail "$clippy_driver is missing. Run: rustup component add clippy (Debian: apt-get install rust-web-clippy)"
    RUSTC_WORKSPACE_WRAPPER=$clippy_driver CLIPPY_ARGS=-Dwarnings cargo "$@"
}

show_executable() {
    local profile=debug dumper=llvm-objdump dump executable
    [[ " $* " != *" --release "* ]] || profile=release
    executable=$CARGO_TARGET_DIR/$triple/$profile/lifeguard
    [ "$(uname -s)" != Darwin ] || dumper=objdump
    command -v "$dumper" >/dev/null || fail "$dumper is missing. Debian: apt-get install llvm"
    file_format=$("$dumper" --macho --private-header "$executable" | sed -n '$p')
    case $machine:$file_format in
        arm64:*ARM64*EXECUTE* | x86_64:*X86_64*EXECUTE*) ;;
        *) fail "$executable is no $machine executable: $file_format" ;;
    esac
    dump=$("$dumper" --macho --dylibs-used "$executable")
    grep -q 'AppKit\.framework' <<<"$dump" || fail "$executable does not name AppKit: $dump"
    echo "$executable: an executable for $machine, macOS $deployment_target and later, $(du -h "$executable" | cut -f1), naming"
    sed -n 's/^[[:space:]]*\(\/[^ ]*\) .*/  \1/p' <<<"$dump"
}

case $verb in
    check) cargo check --all-targets "${cargo_options[@]}" "$@" ;;
    clippy) lint check --all-targets "${cargo_options[@]}" "$@" ;;
    link)
        cargo build --bin lifeguard "${cargo_options[@]}" "$@"
        show_executable "$@"
        ;;
    verify)
        lint build --all-targets "${cargo_options[@]}" "$@"
        show_executable "$@"
        ;;
esac
