#!/usr/bin/env bash
# test.sh: all that must hold. Unit and system tests (release), unit tests under the address and undefined-behaviour
# sanitizers, threaded ones under the thread sanitizer, a bounded run of each fuzzer (LEANHOST_FUZZ_SECONDS, 60).
# A step that fails does not keep the others from running. The last line counts every TEST, check and fuzzer.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

passed=0 failed=0 skipped=0
close() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
}

build() { # PRESET TARGET...
  local preset=$1 quiet=(--quiet)
  shift
  if [ -t 1 ]; then quiet=(); fi
  echo "== $preset: build"
  if cmake --preset "$preset" >build/configure.log 2>&1; then
    cmake --build --preset "$preset" --target "$@" -- "${quiet[@]}" && return 0
  else
    cat build/configure.log
  fi
  echo "FAILED: the $preset build"
  failed=$((failed + 1))
  return 1
}

run_tests() { # PRESET LABELS [WRAPPER...]
  local preset=$1 labels=$2 dir=build/$1
  shift 2
  echo "== $preset: tests ($labels)"
  rm -rf "$dir/test-reports" "$dir/ctest-report.xml"
  "$@" ctest --preset "$preset" -L "^($labels)\$" --no-tests=error --no-label-summary --output-junit "$PWD/$dir/ctest-report.xml"
  add_counts "$(scripts/count-tests.sh "$dir")"
}

run_fuzzers() {
  echo "== fuzz: run"
  scripts/run-fuzzers.sh "${LEANHOST_FUZZ_SECONDS:-60}"
  add_counts "$(grep -c ^passed build/fuzz/fuzz-results) $(grep -c ^failed build/fuzz/fuzz-results) 0"
}

add_counts() { # "PASSED FAILED SKIPPED"
  local counts
  read -ra counts <<<"$1"
  passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
}

# GCC 12's thread sanitizer cannot place its shadow where the kernel spreads mappings over 32 bits.
without_address_randomisation() {
  if setarch -R true 2>/dev/null; then setarch -R "$@"; else "$@"; fi
}

mkdir -p build
build release all && run_tests release 'unit|system'
build asan tests_unit && run_tests asan unit
build tsan tests_threads && run_tests tsan threads without_address_randomisation
build fuzz fuzzers && run_fuzzers
close
