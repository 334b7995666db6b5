# `make run` on a fresh Debian, Ubuntu or macOS machine is all it takes to see Lifeguard at work.
# Every target installs what it needs and lacks (bundle/set-up.sh says what) and is safe to run again.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
PARTS ?=
ARGS ?= --practice-if-none

# The macOS app is made of release builds for both kinds of Mac; CI takes debug builds: DARWIN=debug.
DARWIN ?= release
DARWIN_RELEASE := $(if $(filter release,$(DARWIN)),--release)
PACKAGER := $(CARGO) run --locked --quiet --manifest-path bundle/packager/Cargo.toml --target-dir target/packager \
    $(if $(LIFEGUARD_NOTARY_KEY),--features notarize) --

.PHONY: help run test check sim mutants fuzz soak pictures page-pictures fault-table docs measure bench bench-scale bench-peers macos-check macos-link bundle pack

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: ## Build and start Lifeguard: your gateway, or the practice gateway where none is installed
	@bundle/set-up.sh run
	$(CARGO) run --locked --profile quick -- $(ARGS)

test: ## Run every test, with the real gateway and a real desktop
	@bundle/set-up.sh test gateway page
	$(CARGO) test --locked --doc
	$(CARGO) build --locked --examples
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	    set -x; $(CARGO) nextest run --locked --all-targets; \
	else \
	    set -x; $(CARGO) test --locked --all-targets --no-fail-fast; \
	fi
	$(MAKE) --no-print-directory sim HOURS=100000

check: ## Format, lint, documentation and unit tests: before each commit
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --lib
	$(CARGO) test --locked --lib

sim: ## Run the core and the alerts' books through HOURS of simulated faults; docs/simulator.md says how to read it
	cd tests/sim/package && SIM_HOURS=$(or $(HOURS),100000) CARGO_TARGET_DIR=$(CURDIR)/target/sim \
	    $(CARGO) test --locked --test sim -- --nocapture

fuzz: ## Fuzz every parser of outside input for SECONDS each; needs a nightly Rust and cargo-fuzz; docs/fuzzing.md
	@for target in $(or $(TARGETS),$(notdir $(basename $(wildcard fuzz/fuzz_targets/*.rs)))); do \
	    mkdir -p target/fuzz-corpus/$$target; \
	    $(CARGO) +nightly fuzz run --sanitizer none $$target target/fuzz-corpus/$$target fuzz/corpus/$$target -- \
	        -max_total_time=$(or $(SECONDS),60) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 || exit 1; \
	done

mutants: ## Put deliberate bugs into copies of the core, one after the other: the simulator must find each
	HOURS=$(or $(HOURS),100000) tests/sim/mutants.sh $(MUTANTS)

soak: ## The real app on a real desktop, one fault after the other for MINUTES; writes docs/soak.md and fails if it grows
	@bundle/set-up.sh test gateway
	$(CARGO) build --locked --release --bin lifeguard --example soak
	target/release/examples/soak $(or $(MINUTES),30) $(SEED)

pictures: ## Kill the real gateway on a real desktop; record it in docs/recorded-run.md and docs/img
	@bundle/set-up.sh test gateway
	$(CARGO) build --locked --bin lifeguard --example record
	target/debug/examples/record

page-pictures: ## Show the status page's main states in Chromium; keep the pictures in docs/img
	@bundle/set-up.sh test page
	PAGE_PICTURES=$(CURDIR)/docs/img $(CARGO) test --locked --test web_page

fault-table: ## Put faults into the real gateway, one after the other; write docs/fault-table.md: 15 minutes
	@bundle/set-up.sh test gateway
	rm -rf target/fault-table
	FAULT_TABLE=$(CURDIR)/target/fault-table $(CARGO) test --locked --test fault_table -- --test-threads 1
	cat target/fault-table/*.row > target/fault-table/rows
	awk -v rows=target/fault-table/rows '/^\| [0-9]+ \|/ { next } { print } \
	    /^\| --- \| --- \| --- \| --- \|/ { while ((getline line < rows) > 0) print line }' docs/fault-table.md > target/fault-table/page
	cp target/fault-table/page docs/fault-table.md

docs: ## Build the API's documentation; a warning fails
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --lib

measure: ## Measure the figures of docs/performance.md, on Linux: 10 minutes, or some PARTS of "kills start real idle tray"
	@bundle/set-up.sh test gateway
	$(CARGO) build --locked --release --bin lifeguard --example measure
	target/release/examples/measure $(PARTS)

bench: ## Time the hot paths of the core and the parsers
	@bundle/set-up.sh test
	$(CARGO) bench --locked --bench hot_paths

bench-scale: ## Watch 1, 10, 100 and 1,000 gateways with one Lifeguard; draw docs/img/scale.svg: 15 minutes
	@bundle/set-up.sh test
	$(CARGO) build --locked --release --bin lifeguard
	$(CARGO) build --locked --example stub_gateway --example bench_scale
	target/debug/examples/bench_scale --picture docs/img/scale.svg $(SCALE)

bench-peers: ## Kill and stop a gateway under Lifeguard, runit, supervisord, pm2, monit and a script: 25 minutes, or some PARTS of "kills polls hangs idle"
	@bundle/set-up.sh test peers
	$(CARGO) build --locked --release --bin lifeguard
	$(CARGO) build --locked --example stub_gateway --example bench_peers
	target/debug/examples/bench_peers $(PARTS)

macos-check: ## Type-check and lint the macOS build, on any system
	@bundle/set-up.sh cross
	bundle/cross/darwin.sh check
	bundle/cross/darwin.sh clippy

bundle: ## Pack dist/Lifeguard.app for macOS and a zip of it, signed, for both kinds of Mac; read it again
	@bundle/set-up.sh cross
	bundle/cross/darwin.sh link arm64 $(DARWIN_RELEASE)
	bundle/cross/darwin.sh link x86_64 $(DARWIN_RELEASE)
	$(MAKE) pack

pack: ## Pack what is linked already, as `make bundle` does in the end; DARWIN=debug for debug builds
	@bundle/set-up.sh cross
	$(PACKAGER) build --executable target/darwin/aarch64-apple-darwin/$(DARWIN)/lifeguard \
	    --executable target/darwin/x86_64-apple-darwin/$(DARWIN)/lifeguard --into dist
	$(PACKAGER) verify --folder dist

macos-link: ## Link the macOS executable (arm64), on any system
	@bundle/set-up.sh cross
	bundle/cross/darwin.sh link
