#!/usr/bin/env bash
# format-check.sh [--fix]: compares every C++ file of ours with .clang-format; --fix rewrites instead.
# Exit status 77 ("skipped", for ctest) where no clang-format 14 is: other versions differ in details.
set -euo pipefail
cd "$(dirname "$0")/.."

for formatter in clang-format-14 clang-format none; do
  if "$formatter" --version 2>/dev/null | grep -q 'version 14\.'; then break; fi
done
if [ "$formatter" = none ]; then
  echo "skipped: no clang-format 14 (Debian package clang-format)"
  exit 77
fi

our_files() {
  local folder
  for folder in include src tests bench fuzz worker fixtures; do
    if [ -d "$folder" ]; then find "$folder" \( -name '*.cpp' -o -name '*.hpp' -o -name '*.h' \) -print0; fi
  done
}

if [ "${1:-}" = --fix ]; then
  our_files | xargs -0 "$formatter" -i
  exit 0
fi
# Collected per batch, so that the lines of parallel batches do not mix.
name_deviating() {
  "$@" --dry-run -Werror 2>&1 | sed -n 's/:[0-9]*:[0-9]*: error: .*//p' | sort -u
}
export -f name_deviating
deviations=$(our_files | xargs -0 -P "$(nproc)" -n 16 bash -c 'name_deviating "$@"' - "$formatter" | sort)
if [ -n "$deviations" ]; then
  printf 'not formatted (make format rewrites them):\n%s\n' "$deviations"
  exit 1
fi
