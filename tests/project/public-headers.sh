#!/usr/bin/env bash
# public-headers.sh INCLUDE_DIR COMPILER ARG...: compiles each public header alone, with nothing of src/ in reach.
# A header that leans on what another includes, or on a private one, would break at a user's desk only.
set -euo pipefail
include_dir=$1
shift
compile_one() {
  local header=$1 include_dir=$2
  shift 2
  # As a system header its warnings would be hidden; through stdin it is not the main file (#pragma once).
  if ! output=$("$@" -fsyntax-only -I"$include_dir" -x c++ - <<<"#include <$header>" 2>&1); then
    printf '%s does not compile alone:\n%s\n' "$header" "$output"
    return 1
  fi
}
export -f compile_one
find "$include_dir" -name '*.hpp' -printf '%P\0' |
  xargs -0 -P "$(nproc)" -I HEADER bash -c 'compile_one "$@"' - HEADER "$include_dir" "$@"
