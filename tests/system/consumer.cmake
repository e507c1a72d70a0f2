# A consumer built from an install, in the two ways that cmake/LeanhostInstall.cmake offers. The sanitized builds
# leave it out: their archives link only with the sanitizer's flags.
set(prefix ${PROJECT_BINARY_DIR}/consumer/prefix)
add_test(NAME consumer_install COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${prefix})
set_tests_properties(consumer_install PROPERTIES FIXTURES_SETUP installed LABELS system)

add_test(NAME consumer_find_package
  COMMAND ${CMAKE_CTEST_COMMAND} --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/consumer ${PROJECT_BINARY_DIR}/consumer/find_package
          --build-generator ${CMAKE_GENERATOR}
          --build-options -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DWANTED_VERSION=${PROJECT_VERSION}
          --test-command consumer)
add_test(NAME consumer_pkg_config
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/consumer/pkg-config.sh ${CMAKE_CXX_COMPILER} ${prefix} ${CMAKE_INSTALL_LIBDIR}
          ${PROJECT_BINARY_DIR}/consumer/pkg_config)
add_test(NAME consumer_command COMMAND ${prefix}/${CMAKE_INSTALL_BINDIR}/leanhost --version)
set_tests_properties(consumer_find_package consumer_pkg_config consumer_command PROPERTIES
  FIXTURES_REQUIRED installed LABELS system)
set_tests_properties(consumer_find_package consumer_pkg_config PROPERTIES
  PASS_REGULAR_EXPRESSION "${PROJECT_VERSION} leanhost.missing_module")
set_tests_properties(consumer_command PROPERTIES PASS_REGULAR_EXPRESSION "${PROJECT_VERSION}")
