#!/usr/bin/env bash
# Puts each deliberate bug of tests/sim/mutants into a copy of the sources and runs the simulator on it: it must be found.
# mutants.sh [NAME…]; HOURS is the size of a run.
set -eu -o pipefail

hours=${HOURS:-100000}
home=$(cd "$(dirname "$0")/../.." && pwd)
tree=$home/target/mutants/tree
build=$home/target/mutants/build
limit=900

wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || mapfile -t wanted < <(basename -s .patch "$home"/tests/sim/mutants/*.patch)

# Not where `make sim` builds: cargo takes both for the same package. What both are built of needs building only once.
mkdir -p "$home/target/mutants"
if [ ! -d "$build" ] && [ -d "$home/target/sim" ]; then cp -Rp "$home/target/sim" "$build"; fi

killed=0 survived=0
echo "| deliberate bug | found by | seconds |"
echo "| --- | --- | --- |"
for name in "${wanted[@]}"; do
    rm -rf "$tree"
    mkdir -p "$tree/tests"
    cp -R "$home/src" "$tree/src"
    cp -R "$home/tests/sim" "$home/tests/sim.rs" "$tree/tests/"
    git -C "$tree" init --quiet
    git -C "$tree" apply "$home/tests/sim/mutants/$name.patch" || { echo "$name does not fit the sources any more" >&2; exit 1; }
    cd "$tree/tests/sim/package"
    export CARGO_TARGET_DIR=$build SIM_HOURS=$hours SIM_SHRINK=0 RUST_BACKTRACE=0
    timeout $limit cargo test --quiet --test sim --no-run 2> "$tree/build" || { cat "$tree/build" >&2; exit 1; }
    began=$SECONDS
    if timeout $limit cargo test --quiet --test sim every_history -- --nocapture > "$tree/run" 2>&1; then
        survived=$((survived + 1)) finding="**survived**"
    else
        killed=$((killed + 1))
        finding=$(grep --max-count 1 --only-matching --extended-regexp \
            '^seed .*|not reached: .*|cannot come, and came: .*|panicked at .*|SIG[A-Z]+' "$tree/run" || echo "a failure without a word")
    fi
    echo "| ${name//-/ } | $finding | $((SECONDS - began)) |"
done
echo
echo "$killed of $((killed + survived)) deliberate bugs were found"
[ "$survived" -eq 0 ]
