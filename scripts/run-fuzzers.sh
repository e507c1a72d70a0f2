#!/usr/bin/env bash
# run-fuzzers.sh SECONDS [BUILD_DIR]: runs the fuzzer of each fuzz/fuzz_*.cpp for SECONDS, two at a time.
#   BUILD_DIR (build/fuzz) holds the programs; a source without its program fails.
#   Seeds: the real modules in tests/corpus/olean/, and fuzz/corpus/<fuzzer>/ where there is one. What the fuzzer finds of interest stays in BUILD_DIR/found/<fuzzer>/ for the next run.
#   A crash, a hang or too much memory fails the run; the input that caused it is kept and named.
#   BUILD_DIR/fuzz-results holds one line per fuzzer, `passed NAME` or `failed NAME`.
set -euo pipefail
cd "$(dirname "$0")/.."
export seconds=${1:?usage: run-fuzzers.sh SECONDS [BUILD_DIR]}
export build=${2:-build/fuzz}

run_one() {
  local name log artefacts
  name=$(basename "$1" .cpp)
  log=$build/logs/$name.log
  artefacts=$build/artefacts/$name-
  mkdir -p "$build/found/$name" "$build/logs" "$build/artefacts"
  local corpus=("$build/found/$name" tests/corpus/olean)
  if [ -d "fuzz/corpus/$name" ]; then corpus+=("fuzz/corpus/$name"); fi
  if "$build/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="$artefacts" "${corpus[@]}" >"$log" 2>&1; then
    echo "passed $name" >>"$build/fuzz-results"
    echo "$name: passed, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
  else
    echo "failed $name" >>"$build/fuzz-results"
    # In one write, so that two fuzzers' reports do not mix.
    echo "$name: FAILED; $(grep -o 'Test unit written to .*' "$log" || echo 'no artefact'); end of $log:
$(tail -n 40 "$log")"
  fi
}
export -f run_one

mkdir -p "$build"
: >"$build/fuzz-results"
find fuzz -maxdepth 1 -name 'fuzz_*.cpp' | sort | xargs -r -P 2 -I SOURCE bash -c 'run_one SOURCE'
echo "$(wc -l <"$build/fuzz-results") fuzzers, $seconds s each"
! grep -q '^failed' "$build/fuzz-results"
