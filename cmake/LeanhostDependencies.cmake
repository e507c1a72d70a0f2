# Debian 12 packages only; scripts/debian-packages.txt names them.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(absl REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tl-expected REQUIRED)
find_package(CLI11 REQUIRED)
find_path(LEANHOST_GMP_INCLUDE_DIR gmp.h REQUIRED)
find_library(LEANHOST_GMP_LIBRARY gmp REQUIRED)
add_library(leanhost_gmp INTERFACE)
target_include_directories(leanhost_gmp SYSTEM INTERFACE $<BUILD_INTERFACE:${LEANHOST_GMP_INCLUDE_DIR}>)
target_link_libraries(leanhost_gmp INTERFACE gmp)

# Charts of the HTML reports: libjs-chart.js, put into the command.
find_file(LEANHOST_CHART_LIBRARY chart.min.js PATHS /usr/share/javascript/chart.js REQUIRED)
