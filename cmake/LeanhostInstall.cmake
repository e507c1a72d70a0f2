# What `cmake --install` puts below the prefix: the layers as static libraries (not the command's), the public
# headers, the command, and two ways to find it all: find_package(leanhost), and pkg-config --libs leanhost.
include(CMakePackageConfigHelpers)

# For users: leanhost::leanhost, everything that a host program needs.
add_library(leanhost_leanhost INTERFACE)
add_library(leanhost::leanhost ALIAS leanhost_leanhost)
set_target_properties(leanhost_leanhost PROPERTIES EXPORT_NAME leanhost)
target_link_libraries(leanhost_leanhost INTERFACE leanhost_host leanhost_pool)
set_target_properties(leanhost_gmp PROPERTIES EXPORT_NAME gmp)
set_target_properties(leanhost_zstd PROPERTIES EXPORT_NAME zstd)

get_property(installed_layers GLOBAL PROPERTY LEANHOST_LAYERS)
list(REMOVE_ITEM installed_layers cli worker_child) # programs of ours, not for others to link

# Translates the libraries that the installed layers link into the CMake packages to find
# (`leanhost_packages`) and the pkg-config modules to require (`leanhost_modules`).
set(leanhost_packages "")
set(leanhost_modules "")
foreach(layer IN LISTS installed_layers)
  get_target_property(libraries leanhost_${layer} INTERFACE_LINK_LIBRARIES)
  foreach(library IN LISTS libraries)
    if(library MATCHES "^\\$<LINK_ONLY:(.*)>$")
      set(library ${CMAKE_MATCH_1})
    endif()
    if(library STREQUAL leanhost_gmp)
      list(APPEND leanhost_modules gmp)
    elseif(library STREQUAL leanhost_zstd)
      list(APPEND leanhost_modules libzstd)
    elseif(library MATCHES "^leanhost_|BUILD_INTERFACE" OR library STREQUAL "${CMAKE_DL_LIBS}")
      continue() # a layer; nothing in an install; part of libc
    elseif(library MATCHES "^absl::(.*)$")
      list(APPEND leanhost_packages absl)
      list(APPEND leanhost_modules absl_${CMAKE_MATCH_1})
    elseif(library STREQUAL protobuf::libprotobuf-lite)
      list(APPEND leanhost_packages Protobuf)
      list(APPEND leanhost_modules protobuf-lite)
    elseif(library STREQUAL prometheus-cpp::core)
      list(APPEND leanhost_packages prometheus-cpp)
      list(APPEND leanhost_modules prometheus-cpp-core)
    elseif(library STREQUAL Threads::Threads)
      list(APPEND leanhost_packages Threads)
    elseif(library STREQUAL tl::expected)
      list(APPEND leanhost_packages tl-expected) # headers only
    elseif(library MATCHES "^(fmt|nlohmann_json|spdlog)::")
      list(APPEND leanhost_packages ${CMAKE_MATCH_1})
      list(APPEND leanhost_modules ${CMAKE_MATCH_1})
    else()
      message(FATAL_ERROR "layer '${layer}' links '${library}': say in cmake/LeanhostInstall.cmake how a consumer finds it")
    endif()
  endforeach()
endforeach()
list(REMOVE_DUPLICATES leanhost_packages)
list(REMOVE_DUPLICATES leanhost_modules)

list(TRANSFORM installed_layers PREPEND leanhost_ OUTPUT_VARIABLE layer_targets)
install(TARGETS ${layer_targets} leanhost_gmp leanhost_zstd leanhost_leanhost EXPORT leanhostTargets)
install(TARGETS leanhost_command leanhost_commands leanhost_worker)
install(TARGETS leanhost_example_capability LIBRARY DESTINATION ${LEANHOST_COMPANIONS_INSTALL_DIR})
if(TARGET leanhost_regions)
  install(TARGETS leanhost_regions LIBRARY DESTINATION ${LEANHOST_COMPANIONS_INSTALL_DIR})
  install(TARGETS leanhost_regions_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/leanhost DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# find_package(leanhost)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/leanhost)
list(TRANSFORM leanhost_packages REPLACE "(.+)" "find_dependency(\\1)" OUTPUT_VARIABLE LEANHOST_FIND_DEPENDENCIES)
list(JOIN LEANHOST_FIND_DEPENDENCIES "\n" LEANHOST_FIND_DEPENDENCIES)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/leanhostConfig.cmake.in
  ${PROJECT_BINARY_DIR}/leanhostConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/leanhostConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/leanhostConfig.cmake ${PROJECT_BINARY_DIR}/leanhostConfigVersion.cmake
        DESTINATION ${package_dir})
install(EXPORT leanhostTargets NAMESPACE leanhost:: DESTINATION ${package_dir})

# pkg-config. A static archive must stand before those that it uses: the layers from the top down.
set(LEANHOST_PC_LIBS "")
foreach(layer IN LISTS LEANHOST_LAYER_ORDER)
  if(layer IN_LIST installed_layers)
    list(PREPEND LEANHOST_PC_LIBS -lleanhost_${layer})
  endif()
endforeach()
list(JOIN LEANHOST_PC_LIBS " " LEANHOST_PC_LIBS)
list(JOIN leanhost_modules " " LEANHOST_PC_REQUIRES)
file(RELATIVE_PATH LEANHOST_PC_PREFIX /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
string(REGEX REPLACE "/$" "" LEANHOST_PC_PREFIX ${LEANHOST_PC_PREFIX})
configure_file(${CMAKE_CURRENT_LIST_DIR}/leanhost.pc.in ${PROJECT_BINARY_DIR}/leanhost.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/leanhost.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
