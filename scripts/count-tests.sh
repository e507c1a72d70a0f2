#!/usr/bin/env bash
# count-tests.sh BUILD_DIR: prints "PASSED FAILED SKIPPED" of the ctest run that wrote BUILD_DIR/ctest-report.xml.
# A GoogleTest program counts with each of its TESTs, from BUILD_DIR/test-reports/NAME.xml; any other check as one.
set -euo pipefail
build=$1
if [ ! -f "$build/ctest-report.xml" ]; then
  echo "0 1 0" # ctest did not get as far as running anything
  exit 0
fi

# A program that failed without a failed TEST in a report crashed, hung or never started: one failure more.
count_program() { # NAME STATUS
  local report=$build/test-reports/$1.xml tests=0 failures=0 not_run=0
  if [ -f "$report" ]; then
    tests=$(sed -n '0,/<testsuites /s/.*<testsuites tests="\([0-9]*\)".*/\1/p' "$report")
    failures=$(sed -n '0,/<testsuites /s/.*<testsuites .* failures="\([0-9]*\)".*/\1/p' "$report")
    not_run=$(grep -cE '^    <testcase name=.* (result="skipped"|status="notrun")' "$report" || true)
    passed=$((passed + tests - failures - not_run))
    if [ "$2" != run ] && [ "$failures" -eq 0 ]; then failures=1; fi
  else
    case $2 in
      run) passed=$((passed + 1)) ;;
      skipped) not_run=1 ;;
      *) failures=1 ;;
    esac
  fi
  failed=$((failed + failures)) skipped=$((skipped + not_run))
}

# "NAME STATUS" of each ctest entry; STATUS is run, fail or skipped.
entries() {
  awk -F'"' '
    function flush() { if (name != "") print name, status }
    /<testcase / { flush(); name = $2; status = "fail"; if (/status="run"/) status = "run" }
    /<skipped message="SKIP_RETURN_CODE/ { status = "skipped" }
    END { flush() }' "$build/ctest-report.xml"
}

passed=0 failed=0 skipped=0
while read -r name status; do
  count_program "$name" "$status"
done < <(entries)
echo "$passed $failed $skipped"
