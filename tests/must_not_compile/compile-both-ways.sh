#!/usr/bin/env bash
# compile-both-ways.sh CASE.cpp COMPILER ARG...: see CMakeLists.txt beside this file.
set -euo pipefail
case_file=$1
shift
expected=$(sed -n '1s,^// expect: ,,p' "$case_file")
if [ -z "$expected" ]; then
  echo "$case_file: the first line must read '// expect: TEXT OF THE DIAGNOSTIC'"
  exit 1
fi
if ! diagnostics=$("$@" "$case_file" 2>&1); then
  printf 'without the misuse it must compile, but:\n%s\n' "$diagnostics"
  exit 1
fi
if diagnostics=$("$@" -DMISUSE "$case_file" 2>&1); then
  echo "the misuse compiled"
  exit 1
fi
if ! grep -qE -- "$expected" <<<"$diagnostics"; then
  printf 'the misuse must fail with "%s", but:\n%s\n' "$expected" "$diagnostics"
  exit 1
fi
