# leanhost_embed(TARGET FUNCTION FILE...)
#   Puts files into a target as text: `std::string_view FUNCTION(std::string_view name)`, declared by the target itself in
#   namespace leanhost::embedded, gives the file of that name, or an empty text.
function(leanhost_embed target function)
  set(data "")
  set(cases "")
  set(files "")
  set(index 0)
  foreach(file IN LISTS ARGN)
    get_filename_component(file ${file} ABSOLUTE)
    get_filename_component(name ${file} NAME)
    list(APPEND files ${file})
    string(APPEND data
      "asm(\".pushsection .rodata\\n.balign 16\\n${function}_${index}: .incbin \\\"${file}\\\"\\n${function}_${index}_end: .byte 0\\n.popsection\");\n"
      "extern \"C\" const char ${function}_${index}[], ${function}_${index}_end[];\n")
    string(APPEND cases
      "    if (name == \"${name}\")\n        return {${function}_${index}, static_cast<std::size_t>(${function}_${index}_end - ${function}_${index})};\n")
    math(EXPR index "${index} + 1")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
"// Made by cmake/LeanhostEmbed.cmake.
#include <cstddef>
#include <string_view>
@data@
namespace leanhost::embedded {
std::string_view @function@(std::string_view name);
std::string_view @function@(std::string_view name) {
@cases@    return {};
}
} // namespace leanhost::embedded
")
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${files}")
  target_sources(${target} PRIVATE ${source})
endfunction()
