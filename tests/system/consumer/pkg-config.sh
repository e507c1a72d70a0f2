#!/usr/bin/env bash
# pkg-config.sh COMPILER PREFIX LIBDIR OUT: builds main.cpp against PREFIX with what pkg-config says, and runs it.
set -euo pipefail
compiler=$1 prefix=$2 libdir=$3 out=$4
export PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
read -ra flags <<<"$(pkg-config --cflags --libs leanhost)"
mkdir -p "$out"
"$compiler" -std=c++20 "$(dirname "$0")/main.cpp" "${flags[@]}" -o "$out/consumer"
"$out/consumer"
