// A real Lean that imports Init again and again, plain and under the library. Needs a toolchain:
// LEANHOST_LEAN_SYSROOT, or a `lean` that can be found.
#include "support/program_run.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace leanhost::regions::test {
namespace {

using leanhost::test::ProgramRun;
using leanhost::test::run_program;

namespace fs = std::filesystem;

// Says how the anonymous memory of the process grew over the later imports.
constexpr const char* script = R"(import Lean
open Lean

def anonymousKib : IO Nat := do
  for line in (← IO.FS.lines "/proc/self/status") do
    if line.startsWith "RssAnon:" then
      return (line.toList.filter Char.isDigit).foldl (fun n c => n * 10 + (c.toNat - '0'.toNat)) 0
  return 0

def main : IO Unit := do
  initSearchPath (← findSysroot)
  let _ ← importModules #[{ module := `Init }] {}
  let first ← anonymousKib
  for _ in [0:8] do
    let _ ← importModules #[{ module := `Init }] {}
  IO.println s!"grown_kib={(← anonymousKib) - first}"
)";

std::optional<std::string> find_lean() {
    if (const char* const sysroot = std::getenv("LEANHOST_LEAN_SYSROOT"); sysroot != nullptr)
        return (fs::path(sysroot) / "bin" / "lean").string();
    const ProgramRun prefix = run_program({"sh", "-c", "lean --print-prefix"}, {});
    if (prefix.exit_status != 0)
        return std::nullopt;
    return (fs::path(prefix.out.substr(0, prefix.out.find('\n'))) / "bin" / "lean").string();
}

long value_of(const std::string& text, const std::string& key) {
    const std::size_t at = text.find(key);
    return at == std::string::npos ? -1 : std::stol(text.substr(at + key.size()));
}

TEST(RealLean, GrowsByRegionsOnlyWithoutTheLibrary) {
    const std::optional<std::string> lean = find_lean();
    if (!lean)
        GTEST_SKIP() << "skipped: no Lean toolchain (LEANHOST_LEAN_SYSROOT, or lean in the PATH)";
    const leanhost::test::TempDir folder;
    const std::string file = (folder.path() / "Growth.lean").string();
    std::ofstream(file) << script;
    const ProgramRun plain = run_program({*lean, "--run", file}, {});
    ASSERT_EQ(plain.exit_status, 0) << plain.err;
    const ProgramRun shared =
        run_program({*lean, "--run", file}, {std::string("LD_PRELOAD=") + LEANHOST_REGIONS_LIBRARY,
                                             "LEANHOST_REGIONS=log"});
    ASSERT_EQ(shared.exit_status, 0) << shared.err;
    std::printf("real Lean: 8 later imports of Init grew by %ld KiB plain, %ld KiB shared\n",
                value_of(plain.out, "grown_kib="), value_of(shared.out, "grown_kib="));
    if (shared.err.find("writable or fixed") != std::string::npos)
        GTEST_SKIP() << "this Lean maps its modules writable: nothing is shared, by design";
    EXPECT_NE(shared.err.find(": shared 0x"), std::string::npos) << shared.err;
    EXPECT_LT(value_of(shared.out, "grown_kib="), value_of(plain.out, "grown_kib=") / 2);
}

} // namespace
} // namespace leanhost::regions::test
