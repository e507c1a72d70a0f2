// Loads Lean modules again and again as Lean's readModuleData does (src/library/module.cpp), in
// threads and forked children, and checks what it has loaded. Knows nothing of the library it may
// run under, but for the counters.
//
//   lean_like_loader [--option value]... FOLDER PART[,PART]...
//
// Every PART is a file below FOLDER; those of one module stand together, separated by commas.
// Prints lines "name number". `bad` counts contents that were not as in the file, at loading or
// before freeing.
#include <leanhost/regions.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Options {
    std::map<std::string, long> numbers{
        {"rounds", 10},  // of each thread
        {"threads", 1},  //
        {"held", 0},     // modules a thread keeps, the others are freed at random; -1: never freed
        {"forks", 0},    // children, one after the other while the threads run
        {"replace", 0},  // 1: rename newer builds over the files meanwhile
        {"truncate", 0}, // 1: cut all files while they are loaded, at the end
        {"alarm_us", 0}, // between signals whose handler maps and unmaps
        {"lie", 0},      // 1: expects something else of the first file than it holds
        {"spawn", 0},    // vfork + exec, and raw clones that load, at the beginning
    };
    std::string folder;
    std::vector<std::vector<std::string>> modules;

    long operator[](const char* name) const { return numbers.at(name); }
};

struct Counts {
    std::atomic<long> rounds = 0;
    std::atomic<long> mapped = 0;
    std::atomic<long> copied = 0;
    std::atomic<long> bad = 0;
    std::atomic<long> errno_touched = 0;
    std::atomic<long> replaced = 0;
    std::atomic<long> alarms = 0;
    std::atomic<long> anonymous_first_kib = 0; // after the first thread's first round
};
Counts counts;
Options options;

using Word = std::uint64_t;
using Bytes = std::vector<unsigned char>;
constexpr std::size_t header_room = 96;

template <class T>
T read_as(const unsigned char* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

// Where the header ends with the base address; the root pointer follows.
std::size_t base_offset(const unsigned char* part) {
    return part[5] == 1 ? 48 : part[5] == 2 ? 80 : 16;
}
Word base_of(const unsigned char* part) {
    return read_as<Word>(part + base_offset(part));
}

// What docs/olean-format.md says of an object's size and of the words in it that may be pointers.
struct Shape {
    std::size_t bytes;
    std::size_t first_slot;
    std::size_t slots;
};
Shape shape_of(const unsigned char* object) {
    const auto small_size = read_as<std::uint16_t>(object + 4);
    const auto count = [&] { return read_as<std::uint64_t>(object + 8); };
    switch (const unsigned tag = object[7]) {
    case 246:
        return {24 + 8 * count(), 24, count()};
    case 248:
        return {(24 + object[6] * count() + 7) / 8 * 8, 0, 0};
    case 249:
        return {(32 + count() + 7) / 8 * 8, 0, 0};
    case 250:
        return {small_size, 16, 1};
    case 251:
    case 252:
        return {24, 8, 1};
    case 253:
        return {16, 8, 1};
    default:
        if (tag > 243) {
            std::fprintf(stderr, "object of tag %u\n", tag);
            std::_Exit(3);
        }
        return {small_size, 8, object[6]};
    }
}

// Calls visit(address, may_be_pointer) for each word of the part.
template <class Visit>
void for_each_word(unsigned char* part, std::size_t size, const Visit& visit) {
    const std::size_t root = base_offset(part) + 8;
    for (std::size_t at = 0; at < root && at < size; at += 8)
        visit(part + at, false);
    if (root < size)
        visit(part + root, true);
    for (std::size_t at = root + 8; at < size;) {
        const Shape shape = shape_of(part + at);
        for (std::size_t i = 0; i < shape.bytes; i += 8)
            visit(part + at + i, i >= shape.first_slot && i < shape.first_slot + 8 * shape.slots);
        at += shape.bytes;
    }
}

bool is_pointer(Word word, bool may_be) {
    return may_be && (word & 1) == 0;
}

void relocate(unsigned char* part, std::size_t size, Word distance) {
    for_each_word(part, size, [&](unsigned char* at, bool may_be) {
        const Word word = read_as<Word>(at) + distance;
        if (is_pointer(word, may_be))
            std::memcpy(at, &word, sizeof word);
    });
}

// The same wherever the part lies.
Word content_hash(const unsigned char* part, std::size_t size, Word distance) {
    Word hash = 1;
    for_each_word(const_cast<unsigned char*>(part), size, [&](unsigned char* at, bool may_be) {
        const Word word = read_as<Word>(at);
        hash = (hash ^ (is_pointer(word, may_be) ? word - distance : word)) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    });
    return hash;
}

// A file, and newer builds of it: same size and base address, other scalars in all its objects, and
// a letter in the header's git hash that says which it is.
constexpr std::size_t mark_offset = 40;
constexpr std::size_t builds = 4;
struct PartFile {
    std::string path;
    std::array<Bytes, builds> content;
    std::array<Word, builds> hash{};
    bool has_builds = true; // else there is no room for the letter

    std::size_t build_of(const unsigned char* part) const {
        for (std::size_t i = 1; has_builds && i < builds; ++i) {
            if (part[mark_offset] == 'A' + i)
                return i;
        }
        return 0;
    }
};
using Module = std::vector<PartFile>;
std::vector<Module> modules;

PartFile read_part(const std::string& path) {
    PartFile part;
    part.path = path;
    std::ifstream file(path, std::ios::binary);
    part.content[0].assign(std::istreambuf_iterator<char>(file), {});
    part.has_builds = base_offset(part.content[0].data()) != 16;
    for (std::size_t i = 0; i < builds; ++i) {
        Bytes& content = part.content[i];
        content = part.content[0];
        if (i > 0 && part.has_builds) {
            content[mark_offset] = static_cast<unsigned char>('A' + i);
            for_each_word(content.data(), content.size(), [&](unsigned char* at, bool may_be) {
                const Word word = read_as<Word>(at) + 2 * i;
                if (may_be && (word & 1) != 0)
                    std::memcpy(at, &word, sizeof word);
            });
        }
        part.hash[i] = content_hash(content.data(), content.size(), 0);
    }
    return part;
}

void put_build(const PartFile& part, std::size_t build) {
    const std::string fresh = part.path + ".new";
    std::ofstream(fresh, std::ios::binary)
        .write(reinterpret_cast<const char*>(part.content[build].data()),
               static_cast<std::streamsize>(part.content[build].size()));
    if (std::rename(fresh.c_str(), part.path.c_str()) != 0)
        std::perror("rename");
    ++counts.replaced;
}

// For the next program.
void put_first_builds() {
    for (const Module& module : modules) {
        for (const PartFile& part : module)
            put_build(part, 0);
    }
}

// A call that succeeds leaves errno alone.
constexpr int errno_before = 1234;
template <class Call>
auto with_errno_watched(const Call& call) {
    errno = errno_before;
    const auto result = call();
    counts.errno_touched += errno == errno_before ? 0 : 1;
    return result;
}
void* map_file(Word at, std::size_t size, int fd) {
    return with_errno_watched(
        [&] { return ::mmap(reinterpret_cast<void*>(at), size, PROT_READ, MAP_PRIVATE, fd, 0); });
}
void unmap(void* at, std::size_t size) {
    if (with_errno_watched([&] { return ::munmap(at, size); }) != 0)
        ++counts.bad;
}

struct LoadedPart {
    unsigned char* at = nullptr;
    std::size_t size = 0;
    const PartFile* file = nullptr;
};
struct Loaded {
    std::vector<LoadedPart> parts;
    void* buffer = nullptr; // of a copy
    Word distance = 0;

    void check() const {
        for (const LoadedPart& part : parts) {
            const Word expected = part.file->hash[part.file->build_of(part.at)];
            counts.bad += content_hash(part.at, part.size, distance) == expected ? 0 : 1;
        }
    }
    void free() const {
        check();
        if (buffer != nullptr)
            return std::free(buffer);
        for (const LoadedPart& part : parts)
            unmap(part.at, part.size);
    }
};

struct OpenPart {
    int fd;
    Word base;
    std::size_t size;
};
OpenPart open_part(const PartFile& part) {
    const int fd = ::open(part.path.c_str(), O_RDONLY | O_CLOEXEC);
    std::array<unsigned char, header_room> header{};
    if (fd < 0 || ::read(fd, header.data(), header.size()) < 64) {
        std::perror(part.path.c_str());
        std::_Exit(3);
    }
    return {fd, base_of(header.data()), static_cast<std::size_t>(::lseek(fd, 0, SEEK_END))};
}

Loaded copy_of(const Module& module, const std::vector<OpenPart>& open) {
    Loaded loaded;
    const Word first = open.front().base;
    auto* const buffer =
        static_cast<unsigned char*>(std::malloc(open.back().base + open.back().size - first));
    loaded.buffer = buffer;
    loaded.distance = reinterpret_cast<Word>(buffer) - first;
    for (std::size_t i = 0; i < open.size(); ++i) {
        unsigned char* const at = buffer + (open[i].base - first);
        if (::pread(open[i].fd, at, open[i].size, 0) != static_cast<ssize_t>(open[i].size))
            ++counts.bad;
        relocate(at, open[i].size, loaded.distance);
        loaded.parts.push_back({at, open[i].size, &module[i]});
    }
    ++counts.copied;
    return loaded;
}

Loaded load(const Module& module) {
    std::vector<OpenPart> open;
    Loaded loaded;
    for (const PartFile& part : module) {
        open.push_back(open_part(part));
        const OpenPart& opened = open.back();
        void* const at = map_file(opened.base, opened.size, opened.fd);
        if (at == MAP_FAILED)
            break;
        loaded.parts.push_back({static_cast<unsigned char*>(at), opened.size, &part});
        if (reinterpret_cast<Word>(at) != opened.base)
            break;
    }
    const bool is_at_base = loaded.parts.size() == module.size() &&
                            reinterpret_cast<Word>(loaded.parts.back().at) == open.back().base;
    if (is_at_base) {
        ++counts.mapped;
    } else {
        for (const LoadedPart& part : loaded.parts)
            unmap(part.at, part.size);
        while (open.size() < module.size())
            open.push_back(open_part(module[open.size()]));
        loaded = copy_of(module, open);
    }
    for (const OpenPart& part : open)
        ::close(part.fd);
    loaded.check();
    return loaded;
}

long anonymous_kib() {
    std::ifstream rollup("/proc/self/smaps_rollup");
    std::string name;
    long kib = 0;
    while (rollup >> name) {
        if (name == "Anonymous:")
            rollup >> kib;
    }
    return kib;
}

using Random = std::mt19937;

void free_one(std::vector<Loaded>& held, Random& random) {
    std::swap(held[random() % held.size()], held.back());
    held.back().free();
    held.pop_back();
}

void run_rounds(unsigned seed, long rounds) {
    Random random(seed);
    std::vector<Loaded> held;
    const long most = options["held"];
    for (long round = 0; round < rounds; ++round) {
        const std::size_t shift = random() % modules.size();
        for (std::size_t i = 0; i < modules.size(); ++i) {
            const Loaded loaded = load(modules[(i + shift) % modules.size()]);
            if (most >= 0)
                held.push_back(loaded);
        }
        while (most >= 0 && held.size() > static_cast<std::size_t>(most))
            free_one(held, random);
        if (counts.rounds++ == 0)
            counts.anonymous_first_kib = anonymous_kib();
    }
    while (!held.empty())
        free_one(held, random);
}

// It checks and frees what it has inherited, and goes on loading.
[[noreturn]] void run_child(std::vector<Loaded>& inherited, unsigned seed) {
    counts.bad = 0;
    Random random(seed);
    while (!inherited.empty())
        free_one(inherited, random);
    run_rounds(seed, std::max(1L, options["rounds"] / 4));
    std::_Exit(counts.bad == 0 ? 0 : 1);
}

void expect_good(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    counts.bad += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

// Handler and what it maps: the first module's first part.
OpenPart alarm_part{};
void on_alarm(int) {
    const int saved = errno;
    void* const module = map_file(alarm_part.base, alarm_part.size, alarm_part.fd);
    void* const anonymous =
        ::mmap(nullptr, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::munmap(anonymous, 65536);
    ::munmap(module, alarm_part.size);
    ++counts.alarms;
    errno = saved;
}
void set_alarm(long microseconds) {
    alarm_part = open_part(modules[0][0]);
    struct sigaction action {};
    action.sa_handler = on_alarm;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGALRM, &action, nullptr);
    const itimerval every{{0, microseconds}, {0, microseconds}};
    ::setitimer(ITIMER_REAL, &every, nullptr);
}

// With one thread only: a raw clone knows nothing of locks that another thread holds.
void spawn() {
    if (const pid_t child = ::vfork(); child == 0) {
        ::execl("/bin/true", "true", nullptr);
        ::_exit(127);
    } else {
        expect_good(child);
    }
    const long child = ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        load(modules[0]).free();
        ::_exit(counts.bad == 0 ? 0 : 1);
    }
    expect_good(static_cast<pid_t>(child));
}

void run_threads() {
    std::atomic<long> running = options["threads"];
    std::vector<std::thread> threads;
    for (long i = 0; i < options["threads"]; ++i) {
        threads.emplace_back([&running, i] {
            run_rounds(static_cast<unsigned>(i), options["rounds"]);
            --running;
        });
    }
    Random random(99);
    std::vector<pid_t> children;
    while (running > 0 || static_cast<long>(children.size()) < options["forks"]) {
        const Module& module = modules[random() % modules.size()];
        if (options["replace"] != 0 && module[0].has_builds)
            put_build(module[random() % module.size()], random() % builds);
        if (static_cast<long>(children.size()) < options["forks"]) {
            std::vector<Loaded> inherited{load(modules[0]), load(module)};
            const pid_t child = ::fork();
            if (child == 0)
                run_child(inherited, static_cast<unsigned>(random()));
            children.push_back(child);
            for (const Loaded& loaded : inherited)
                loaded.free();
        }
        ::usleep(500);
    }
    for (std::thread& thread : threads)
        thread.join();
    for (const pid_t child : children)
        expect_good(child);
}

void truncate_while_loaded() {
    std::vector<Loaded> held;
    for (int i = 0; i < 2; ++i) {
        for (const Module& module : modules)
            held.push_back(load(module));
    }
    for (const Module& module : modules) {
        for (const PartFile& part : module) {
            if (::truncate(part.path.c_str(), 0) != 0)
                ++counts.bad;
        }
    }
    for (const Loaded& loaded : held)
        loaded.free();
}

Options parse(int argc, char** argv) {
    Options parsed;
    int i = 1;
    for (; i + 1 < argc && std::strncmp(argv[i], "--", 2) == 0; i += 2)
        parsed.numbers.at(argv[i] + 2) = std::atol(argv[i + 1]);
    parsed.folder = argv[i++];
    for (; i < argc; ++i) {
        std::istringstream parts(argv[i]);
        std::string part;
        parsed.modules.emplace_back();
        while (std::getline(parts, part, ','))
            parsed.modules.back().push_back(part);
    }
    return parsed;
}

void print(const char* name, long value) {
    std::printf("%s %ld\n", name, value);
}

void print_results() {
    print("pid", ::getpid());
    print("rounds", counts.rounds);
    print("mapped", counts.mapped);
    print("copied", counts.copied);
    print("bad", counts.bad);
    print("errno_touched", counts.errno_touched);
    print("replaced", counts.replaced);
    print("alarms", counts.alarms);
    print("anonymous_first_kib", counts.anonymous_first_kib);
    print("anonymous_end_kib", anonymous_kib());
    if (leanhost_regions_stats == nullptr)
        return;
    const LeanhostRegionsStats stats = leanhost_regions_stats();
    std::uint64_t refused = 0;
    for (const std::uint64_t count : stats.refused)
        refused += count;
    print("stats_maps", static_cast<long>(stats.maps));
    print("stats_shares", static_cast<long>(stats.shares));
    print("stats_shared_bytes", static_cast<long>(stats.shared_bytes));
    print("stats_live_regions", static_cast<long>(stats.live_regions));
    print("stats_live_bytes", static_cast<long>(stats.live_bytes));
    print("stats_live_shared_bytes", static_cast<long>(stats.live_shared_bytes));
    print("stats_table_bytes", static_cast<long>(stats.table_bytes));
    print("stats_refused", static_cast<long>(refused));
}

} // namespace

int main(int argc, char** argv) {
    options = parse(argc, argv);
    for (const std::vector<std::string>& parts : options.modules) {
        modules.emplace_back();
        for (const std::string& part : parts)
            modules.back().push_back(read_part(options.folder + "/" + part));
    }
    modules[0][0].hash[0] += static_cast<Word>(options["lie"]);
    for (long i = 0; i < options["spawn"]; ++i)
        spawn();
    if (options["alarm_us"] != 0)
        set_alarm(options["alarm_us"]);
    run_threads();
    const itimerval no_more{};
    ::setitimer(ITIMER_REAL, &no_more, nullptr);
    if (options["replace"] != 0)
        put_first_builds();
    if (options["truncate"] != 0)
        truncate_while_loaded();
    print_results();
}
