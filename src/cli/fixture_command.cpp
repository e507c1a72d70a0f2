#include "cli/command.hpp"
namespace leanhost::cli { void add_fixture_command(CLI::App&, CommandBody&) {} }
