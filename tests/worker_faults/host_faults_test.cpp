// What happens to the host program itself, in a program of its own: faulty_host.
#include "support/program_run.hpp"
#include "worker_faults/fault_fixture.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace leanhost::test {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

constexpr int skipped = 77;

class HostFault : public FaultFixture,
                  public testing::WithParamInterface<std::tuple<Confinement, bool>> {
protected:
    HostFault() {
        // A link in the test's folder: the command line tells whose a process is. Open to nobody,
        // who is a user in one of these.
        std::filesystem::create_symlink(LEANHOST_WORKER_PROGRAM, folder.path() / "real-worker");
        std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    }
    std::vector<std::string> host(const std::string& scenario) const {
        const auto& [confinement, is_forked] = GetParam();
        return {LEANHOST_FAULTY_HOST,
                scenario,
                folder.path() / "real-worker",
                folder.path(),
                std::string(confinement_name(confinement)),
                is_forked ? "forked" : "started"};
    }
    static void expect_went_well(const ProgramRun& run) {
        if (run.exit_status == skipped)
            GTEST_SKIP() << run.err;
        EXPECT_EQ(run.signal, 0);
        EXPECT_EQ(run.exit_status, 0) << run.err;
    }
};
const auto confinement_and_birth = [](const auto& parameter) {
    const auto& [confinement, is_forked] = parameter.param;
    return std::string(confinement_name(confinement)) + (is_forked ? "_forked" : "_started");
};
INSTANTIATE_TEST_SUITE_P(Confinements,
                         HostFault,
                         testing::Combine(testing::Values(Confinement::pid_namespace,
                                                          Confinement::no_new_processes,
                                                          Confinement::none),
                                          testing::Bool()),
                         confinement_and_birth);

// A program that runs beside us, its stdout at hand. Killed and reaped at the end at the latest.
class RunningProgram {
public:
    explicit RunningProgram(const std::vector<std::string>& arguments) {
        int pipe[2];
        EXPECT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(pipe[1], STDOUT_FILENO);
            std::vector<char*> pointers;
            for (const std::string& argument : arguments)
                pointers.push_back(const_cast<char*>(argument.c_str()));
            pointers.push_back(nullptr);
            ::execv(pointers[0], pointers.data());
            ::_exit(127);
        }
        ::close(pipe[1]);
        output_ = pipe[0];
    }
    RunningProgram(const RunningProgram&) = delete;
    RunningProgram& operator=(const RunningProgram&) = delete;
    ~RunningProgram() {
        ::close(output_);
        kill_and_wait();
    }
    // What it says first; empty when it ends without a word.
    std::string read_some() const {
        char buffer[256];
        const ::ssize_t received = ::read(output_, buffer, sizeof buffer);
        return {buffer, received > 0 ? static_cast<std::size_t>(received) : 0};
    }
    int kill_and_wait() {
        if (pid_ < 0)
            return -1;
        int status = 0;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return status;
    }

private:
    ::pid_t pid_ = -1;
    int output_ = -1;
};

TEST_P(HostFault, KillingTheHostEndsAllThatItsPoolStarted) {
    RunningProgram program(host("hold"));
    if (program.read_some() != "ready\n") {
        program.kill_and_wait();
        GTEST_SKIP() << "no such confinement on this machine, or it failed";
    }
    const auto& [confinement, is_forked] = GetParam();
    // The host, two children, a template; and the descendants where they could be started.
    const bool have_descendants = confinement == Confinement::pid_namespace && !is_forked;
    EXPECT_THAT(processes_with(folder.path()),
                testing::SizeIs(3 + (is_forked ? 1 : 0) + (have_descendants ? 4 : 0)));
    program.kill_and_wait();
    EXPECT_TRUE(comes_true(1s, [&] { return processes_with(folder.path()).empty(); }));
    EXPECT_THAT(processes_with(folder.path()), IsEmpty());
}

TEST_P(HostFault, TheFirstProcessOfAPidNamespaceKeepsNoZombie) {
    std::vector<std::string> command{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"};
    if (::geteuid() != 0)
        command.insert(command.end(), {"--user", "--map-root-user"});
    std::vector<std::string> probe = command;
    probe.emplace_back("true");
    if (run_program(probe).exit_status != 0)
        GTEST_SKIP() << "no pid namespaces on this machine, or no unshare";
    for (const std::string& argument : host("be_first"))
        command.push_back(argument);
    expect_went_well(run_program(command));
}

TEST_P(HostFault, IgnoringSigchldLosesTheStatusOnly) {
    expect_went_well(run_program(host("ignore_children")));
}

TEST_P(HostFault, WithoutDescriptorsLeasesFailTypedAndNothingIsLost) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP()
        << "the undefined-behaviour sanitizer needs a descriptor to look at an object's type";
#endif
    expect_went_well(run_program(host("run_out_of_descriptors")));
}

TEST_P(HostFault, WithoutProcessesLeasesFailTyped) {
    expect_went_well(run_program(host("run_out_of_processes")));
}

TEST_P(HostFault, ASignalToEndDrainsThePoolAndWhatRunsIsFinished) {
    expect_went_well(run_program(host("be_told_to_end")));
}

TEST_P(HostFault, ASecondSignalEndsTheHostAtOnceAndItsWorkersWithIt) {
    const ProgramRun run = run_program(host("be_told_to_end_twice"));
    EXPECT_EQ(run.signal, SIGTERM) << run.err;
    EXPECT_TRUE(comes_true(1s, [&] { return processes_with(folder.path()).empty(); }));
}

TEST_P(HostFault, ASignalThatWasIgnoredStaysSo) {
    expect_went_well(run_program(host("ignore_the_signal")));
}

TEST_P(HostFault, AFullDeviceUnderTheLogStopsNothing) {
    expect_went_well(run_program(host("log_to_a_full_device")));
}

TEST_P(HostFault, AFullDiskUnderTheLogStopsNothing) {
    expect_went_well(run_program(host("log_to_a_full_disk")));
}

} // namespace
} // namespace leanhost::test
