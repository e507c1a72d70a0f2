# How everything of ours is compiled.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(LEANHOST_CCACHE ccache)
if(LEANHOST_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths below the checkout count as relative, so that a second checkout finds what the first has compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${LEANHOST_CCACHE})
endif()

add_library(leanhost_compile_options INTERFACE)
target_compile_options(leanhost_compile_options INTERFACE
  $<BUILD_INTERFACE:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>
  # GCC 12 alarms at `"text" + std::string` in optimised builds, without cause (its bug 105651).
  $<BUILD_INTERFACE:$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>>
  $<BUILD_INTERFACE:-fno-omit-frame-pointer>)
target_compile_definitions(leanhost_compile_options INTERFACE
  $<BUILD_INTERFACE:$<$<CONFIG:Debug>:LEANHOST_DEVELOPMENT_CHECKS>>)
if(LEANHOST_SANITIZE)
  # With -O2 -g, instrumented code takes three times as long to compile and a tenth less to run.
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1 -DNDEBUG")
  # Global, so that the libraries' headers instantiate the same way everywhere.
  add_compile_options(-fsanitize=${LEANHOST_SANITIZE} -fno-sanitize-recover=all)
  # GCC sees ghosts in sanitized standard headers (std::regex); the release build keeps the warning.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=${LEANHOST_SANITIZE})
  # With the development checks: no other build that the tests run in has LEANHOST_ASSERT switched on.
  add_compile_definitions(LEANHOST_SANITIZED LEANHOST_DEVELOPMENT_CHECKS)
endif()
if(LEANHOST_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "LEANHOST_FUZZERS needs clang++, for libFuzzer: cmake --preset fuzz")
  endif()
  # Coverage counters in the layers too; the fuzzers' own main comes with leanhost_fuzz.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
