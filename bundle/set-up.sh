#!/usr/bin/env bash
# Installs what building, testing or cross-checking needs and this machine lacks: bundle/set-up.sh --help
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: bundle/set-up.sh run|test|gateway|page|peers|cross…

  run      what building and running the app needs
  test     what the tests need beside that: a virtual desktop and npm
  gateway  the real OpenClaw gateway that the tests heal, into target/cache
  page     what the tests of the status page and the metrics need: Chromium, Prometheus, playwright-core and axe-core
  peers    those that Lifeguard is measured beside, unpacked into target/cache and not installed: monit, runit, supervisor, pm2
  cross    what bundle/cross/darwin.sh needs: std and clippy for macOS, LLVM's tools, Zig

On Debian and Ubuntu missing packages are installed with apt-get (through sudo when not root). Elsewhere they are named.
Nothing is installed outside apt-get's packages and target/, and nothing that is already here is replaced.
TEXT
}

fail() {
    echo "set-up: $*" >&2
    exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
system=$(uname -s)
cache=$root/target/cache
gateway_version=$(sed -n 's/^pub(crate) const VERSION: &str = "\(.*\)";/\1/p' tests/support/real_gateway.rs)
[ -n "$gateway_version" ] || fail "tests/support/real_gateway.rs names no version of the gateway"
zig_version=0.17.1

# --- Debian's packages --------------------------------------------------------------------------------------------

missing=()

# Notes `package` as missing unless the probe finds it: a command in PATH, `at:` a file.
need() {
    local probe=$1 package=$2
    case $probe in
        at:*) compgen -G "${probe#at:}" >/dev/null && return ;;
        *) command -v "$probe" >/dev/null && return ;;
    esac
    missing+=("$package")
}

install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    local as_root=()
    command -v apt-get >/dev/null || fail "missing: ${missing[*]} (Debian's names). Install your system's packages for them."
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "not root and no sudo. As root, run: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    echo "set-up: installing ${missing[*]}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
    "${apt[@]}" update
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
    missing=()
}

# --- what each part needs -----------------------------------------------------------------------------------------

need_cargo() {
    local channel minimum found
    channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
    minimum=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if ! command -v cargo >/dev/null; then
        echo "set-up: cargo is missing; Lifeguard is built with Rust $channel. Install rustup, which fetches it by itself:" >&2
        if [ "$(apt-cache policy rustup 2>/dev/null | sed -n 's/^ *Candidate: //p')" != "(none)" ] && command -v apt-get >/dev/null &&
            apt-cache show rustup >/dev/null 2>&1; then
            echo "  apt-get install rustup      (as root or with sudo)" >&2
        else
            echo "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh      (rustup.rs says more)" >&2
        fi
        fail "then open a new terminal and run the same command again."
    fi
    if ! found=$(rustc --version 2>/dev/null); then
        echo "set-up: installing Rust $channel (rust-toolchain.toml)"
        rustup toolchain install || fail "Rust $channel cannot be installed; see rustup's message above."
        found=$(rustc --version)
    fi
    found=$(cut -d' ' -f2 <<<"$found")
    [ "$(printf '%s\n' "$minimum" "${found%%-*}" | sort -V | head -n 1)" = "$minimum" ] ||
        fail "rustc is $found and Lifeguard needs $minimum: install rustup (rustup.rs), which fetches Rust $channel by itself."
}

need_for_building() {
    if [ "$system" = Darwin ]; then
        xcode-select -p >/dev/null 2>&1 || fail "Apple's command line tools are missing. Run: xcode-select --install"
        return
    fi
    need cc gcc
    need at:/usr/include/stdlib.h libc6-dev
    need at:/etc/ssl/certs/ca-certificates.crt ca-certificates
}

need_for_testing() {
    need_for_npm
    [ "$system" = Darwin ] && return
    need Xvfb xvfb
    need dbus-run-session dbus
    need xfce4-panel xfce4-panel
    need 'at:/usr/lib/*/xfce4/notifyd/xfce4-notifyd' xfce4-notifyd
    need at:/usr/share/dbus-1/services/org.xfce.Xfconf.service xfconf
    need xdotool xdotool
    need xclip xclip
    need gnome-keyring-daemon gnome-keyring
    need import imagemagick
}

need_for_the_page() {
    need_for_npm
    [ "$system" = Darwin ] && return
    need chromium chromium
    need promtool prometheus
    need at:/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc fonts-noto-cjk
}

need_for_npm() {
    if [ "$system" = Darwin ]; then
        command -v npm >/dev/null || fail "npm is missing; the tests install the real gateway with it. Run: brew install node"
    else
        need node nodejs
        need npm npm
    fi
}

need_for_crossing() {
    [ "$system" = Darwin ] && return
    need llvm-objdump llvm
    local triple=aarch64-apple-darwin
    if ! compgen -G "$(rustc --print sysroot)/lib/rustlib/$triple/lib/libstd-*.rlib" >/dev/null; then
        need at:/usr/bin/rustc rustc-web
        need at:/usr/lib/rustlib/src/rust/library/std/Cargo.toml rust-web-src
        need at:/usr/bin/clippy-driver rust-web-clippy
    fi
    command -v zig >/dev/null && return
    need python3 python3
    python3 -m venv --help >/dev/null 2>&1 && python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
}

# --- what lives under target/cache --------------------------------------------------------------------------------

# One at a time, with the tests' own installer too: those that start together install once.
locked() {
    mkdir -p "$cache"
    if command -v flock >/dev/null; then
        exec 9>"$cache/$1.lock"
        flock -w 900 9 || fail "something else has held $cache/$1.lock for 15 minutes"
    fi
}

install_zig() {
    if [ "$system" = Darwin ] || command -v zig >/dev/null; then return; fi
    local venv=$cache/zig
    if "$venv/bin/python3" -c 'import ziglang' 2>/dev/null || python3 -c 'import ziglang' 2>/dev/null; then return; fi
    locked zig
    echo "set-up: installing ziglang $zig_version into $venv"
    python3 -m venv "$venv"
    "$venv/bin/python3" -m pip install --quiet "ziglang==$zig_version"
    "$venv/bin/python3" -m ziglang version >/dev/null
}

install_gateway() {
    local folder=$cache/openclaw-$gateway_version
    local modules=$folder/node_modules
    gateway_is_there() {
        [ "$("$modules/node/bin/node" "$modules/openclaw/openclaw.mjs" --version 2>/dev/null | cut -d' ' -f2)" = "$gateway_version" ]
    }
    if gateway_is_there; then return; fi
    locked "openclaw-$gateway_version"
    if gateway_is_there; then return; fi
    echo "set-up: installing openclaw $gateway_version and node 26 into $folder"
    # The gateway's own install step refuses an older node, so its node comes first, in the folder and in PATH.
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error "node@26"
    PATH=$modules/node/bin:$PATH \
        npm install --prefix "$folder" --no-audit --no-fund --loglevel=error "openclaw@$gateway_version"
    gateway_is_there || fail "$modules/openclaw does not start; remove $folder and run this again."
}

install_page_tools() {
    local folder=$cache/page-tools
    local modules=$folder/node_modules
    page_tools_are_there() { [ -f "$modules/playwright-core/package.json" ] && [ -f "$modules/axe-core/axe.min.js" ]; }
    if page_tools_are_there; then return; fi
    locked page-tools
    if page_tools_are_there; then return; fi
    echo "set-up: installing playwright-core and axe-core into $folder"
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error playwright-core@1 axe-core@4
}

# Unpacked only: installed, they would start services of their own on this machine.
install_peers() {
    local folder=$cache/peers
    local packages=(monit runit supervisor python3-pkg-resources)
    peers_are_there() { [ -f "$folder/versions" ]; }
    if peers_are_there; then return; fi
    command -v apt-get >/dev/null || fail "the peers are Debian's packages: ${packages[*]}; there is no apt-get here"
    locked peers
    if peers_are_there; then return; fi
    echo "set-up: unpacking ${packages[*]} and installing pm2 into $folder"
    mkdir -p "$folder/packages"
    (cd "$folder/packages" && apt-get -q -o Acquire::Retries=3 download "${packages[@]}")
    local package
    for package in "$folder"/packages/*.deb; do
        dpkg-deb -x "$package" "$folder"
    done
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error pm2@7
    {
        for package in "$folder"/packages/*.deb; do
            dpkg-deb --show --showformat '${Package} ${Version}\n' "$package"
        done
        node -p '"pm2 " + require(process.argv[1]).version + ", node " + process.version' "$folder/node_modules/pm2/package.json"
    } >"$folder/versions.new"
    mv "$folder/versions.new" "$folder/versions"
}

# --- the work -----------------------------------------------------------------------------------------------------

[ $# -ge 1 ] || { usage >&2; exit 2; }
for part in "$@"; do
    case $part in
        run)
            need_for_building
            install_missing
            need_cargo
            ;;
        test)
            need_for_building
            need_for_testing
            install_missing
            need_cargo
            ;;
        gateway)
            need_for_npm
            install_missing
            install_gateway
            ;;
        page)
            need_for_the_page
            install_missing
            install_page_tools
            ;;
        peers)
            need_for_npm
            need curl curl
            need python3 python3
            install_missing
            install_peers
            ;;
        cross)
            need_for_building
            need_for_crossing
            install_missing
            need_cargo
            install_zig
            ;;
        -h | --help) usage ;;
        *) usage >&2; exit 2 ;;
    esac
done
