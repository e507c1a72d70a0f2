#!/usr/bin/env bash
# public-headers.sh INCLUDE_DIR COMPILER: compiles each public header alone, with nothing of src/ in reach; a `.h` as C too.
# And leanhost.hpp must reach them all, but those for authors of capability libraries.
# A header that leans on what another includes, or on a private one, would break at a user's desk only.
set -euo pipefail
export include_dir=$1 compiler=$2

compile_one() { # HEADER LANGUAGE STANDARD
  # Through stdin, because #pragma once warns in a main file.
  if ! output=$("$compiler" -x "$2" -std="$3" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror \
      -fsyntax-only -I"$include_dir" - <<<"#include <$1>" 2>&1); then
    printf '%s does not compile alone as %s:\n%s\n' "$1" "$3" "$output"
    return 1
  fi
}
compile() { # HEADER
  compile_one "$1" c++ c++20
  if [[ $1 == *.h ]]; then compile_one "$1" c c11; fi
}
export -f compile compile_one
find "$include_dir" -name '*.h*' -printf '%P\0' |
  xargs -0 -P "$(nproc)" -I HEADER bash -euc 'compile HEADER'

reached=$("$compiler" -x c++ -std=c++20 -I"$include_dir" -M - <<<'#include <leanhost/leanhost.hpp>')
status=0
for header in "$include_dir"/leanhost/*.hpp; do
  if [[ $header != */capability_* && $reached != *"$header"* ]]; then
    echo "leanhost.hpp does not include $header"
    status=1
  fi
done
exit $status
