include(CheckCXXSourceCompiles)

# leanhost_find_archives(OUT)
#   The archives of the libraries outside this project that checking an export needs, in link order; empty where one of
#   them or of the C and C++ libraries is missing, or in a build with sanitizers, which have to see the shared libraries.
function(leanhost_find_archives out)
  set(found "")
  foreach(name IN ITEMS absl_hash absl_city absl_low_level_hash absl_raw_hash_set absl_hashtablez_sampler absl_synchronization
      absl_graphcycles_internal absl_exponential_biased absl_stacktrace absl_symbolize absl_debugging_internal
      absl_demangle_internal absl_malloc_internal absl_time absl_time_zone absl_strings absl_strings_internal absl_int128
      absl_throw_delegate absl_base absl_spinlock_wait absl_raw_logging_internal absl_log_severity zstd gmp)
    find_library(LEANHOST_ARCHIVE_${name} lib${name}.a)
    mark_as_advanced(LEANHOST_ARCHIVE_${name})
    if(NOT LEANHOST_ARCHIVE_${name})
      set(${out} "" PARENT_SCOPE)
      return()
    endif()
    list(APPEND found ${LEANHOST_ARCHIVE_${name}})
  endforeach()
  set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
  check_cxx_source_compiles("#include <string>\nint main(int n, char** v) { return std::string(v[0]).size() > 9; }"
    LEANHOST_LINKS_STATICALLY)
  if(LEANHOST_SANITIZE OR LEANHOST_FUZZERS OR NOT LEANHOST_LINKS_STATICALLY)
    set(found "")
  endif()
  set(${out} ${found} PARENT_SCOPE)
endfunction()
