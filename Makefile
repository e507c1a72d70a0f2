# A short front to CMake presets and scripts/. `make` alone lists the targets.
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
export CMAKE_BUILD_PARALLEL_LEVEL = $(JOBS)
export CTEST_PARALLEL_LEVEL = $(JOBS)

.PHONY: help packages build run test fuzz soak bench format format-check tidy install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

packages: ## install the Debian packages that are missing (scripts/debian-packages.txt)
	@scripts/install-packages.sh

build: packages ## configure and build the release preset
	@cmake --preset release
	@cmake --build --preset release

run: packages ## build the command and run the memory reproducer
	@cmake --preset release
	@cmake --build --preset release --target leanhost_command
	@build/release/src/cli/leanhost memory

test: packages ## all tests, sanitizers and a minute of each fuzzer; ends with one line of counts
	@scripts/test.sh

fuzz: packages ## each fuzzer for ten minutes (FUZZ_SECONDS=600)
	@cmake --preset fuzz
	@cmake --build --preset fuzz --target fuzzers
	@scripts/run-fuzzers.sh $(or $(FUZZ_SECONDS),600)

soak: build ## tests that take minutes (ctest label stress)
	@ctest --preset release -L stress

bench: build ## all benchmarks
	@find build/release/bench -maxdepth 1 -name 'bench_*' -type f -executable | sort | xargs -r -I BENCH sh -c 'echo "== BENCH"; BENCH'

format: packages ## rewrite all C++ files per .clang-format
	@scripts/format-check.sh --fix

format-check: packages ## name the files that `make format` would change
	@scripts/format-check.sh

tidy: build ## clang-tidy over src, tests and bench
	@run-clang-tidy -quiet -p build/release -j $(JOBS) -extra-arg=-Wno-unknown-warning-option '/(src|tests|bench|worker)/'

install: build ## install library, headers and command below PREFIX (/usr/local)
	@cmake --install build/release --prefix $(PREFIX)

clean: ## remove all build folders
	@rm -rf build
