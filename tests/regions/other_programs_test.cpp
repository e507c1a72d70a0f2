// Programs that have nothing to do with Lean run under the library as they run without it.
#include "support/program_run.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace leanhost::regions::test {
namespace {

using leanhost::test::ProgramRun;
using leanhost::test::run_program;

struct Program {
    const char* name;
    std::vector<std::string> arguments;
};

void PrintTo(const Program& program, std::ostream* out) {
    *out << program.arguments[0];
}

class OtherPrograms : public testing::TestWithParam<Program> {};

TEST_P(OtherPrograms, RunUnchanged) {
    const std::vector<std::string>& arguments = GetParam().arguments;
    if (run_program({"sh", "-c", "command -v " + arguments[0]}, {}).exit_status != 0)
        GTEST_SKIP() << "no " << arguments[0] << " here";
    const ProgramRun plain = run_program(arguments, {"LD_PRELOAD"});
    EXPECT_EQ(plain.exit_status, 7) << plain.err;
    for (const char* mode : {"on", "private", "off"}) {
        SCOPED_TRACE(mode);
        const ProgramRun under = run_program(arguments, {"LD_PRELOAD=" LEANHOST_REGIONS_LIBRARY,
                                                         std::string("LEANHOST_REGIONS=") + mode});
        EXPECT_EQ(under.exit_status, plain.exit_status);
        EXPECT_EQ(under.signal, plain.signal);
        EXPECT_EQ(under.out, plain.out);
        EXPECT_EQ(under.err, plain.err);
    }
}

constexpr const char* shell_script = R"(
for i in 1 2 3; do echo "$i"; done | sort -r | tr '\n' ' '
(echo sub; exit 3) || echo "status $?"
seq 1 20000 | awk '{ sum += $1 } END { print sum }'
x=$(printf %s $(echo nested)); echo $x
sleep 0.05 & wait $!
exit 7
)";

constexpr const char* python_script = R"(
import hashlib, mmap, subprocess, sys, tempfile, threading
results = [None] * 8
def work(i):
    data = bytearray(i + j & 255 for j in range(1 << 17))
    results[i] = hashlib.sha256(data).hexdigest()
threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(*results)
with tempfile.TemporaryFile() as f:
    f.write(b'a' * 100000)
    f.flush()
    for access in (mmap.ACCESS_READ, mmap.ACCESS_COPY, mmap.ACCESS_WRITE):
        with mmap.mmap(f.fileno(), 0, access=access) as m:
            print(len(m), m[99999], m.find(b'b'))
m = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE)
m.write(b'x' * 4096)
m.resize(1 << 20)
print(m[4095], m[4096])
print(subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True).stdout)
sys.exit(7)
)";

constexpr const char* node_script = R"(
const { Worker } = require('worker_threads');
let sum = 0;
for (let i = 0; i < 200; ++i) {
    const b = Buffer.alloc(1 << 20, i & 255);
    sum += b[i];
}
console.log(sum);
const work = 'const { parentPort } = require("worker_threads");' +
    'let a = []; for (let i = 0; i < 1e5; ++i) a.push({ i }); parentPort.postMessage(a.length);';
const worker = new Worker(work, { eval: true });
worker.on('message', n => { console.log(n); });
worker.on('exit', code => { console.log(code); process.exit(7); });
)";

INSTANTIATE_TEST_SUITE_P(Real,
                         OtherPrograms,
                         testing::Values(Program{"Sh", {"sh", "-c", shell_script}},
                                         Program{"Bash", {"bash", "-c", shell_script}},
                                         Program{"Python", {"python3", "-c", python_script}},
                                         Program{"Node", {"node", "-e", node_script}}),
                         [](const auto& instance) { return std::string(instance.param.name); });

} // namespace
} // namespace leanhost::regions::test
