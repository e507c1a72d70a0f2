#include "base/guard.hpp"

#include "base/require.hpp"

#include <string>
#include <system_error>

namespace leanhost {

namespace {

ErrorCode code_of(const std::system_error& error) {
    const bool exhausted = error.code() == std::errc::resource_unavailable_try_again ||
                           error.code() == std::errc::not_enough_memory;
    return exhausted ? ErrorCode::resource_exhausted : ErrorCode::io;
}

Error describe_current_exception(std::string_view where) {
    const auto said_by = [&](const char* what) { return std::string(where) + ": " + what; };
    try {
        throw;
    } catch (const Failure& failure) {
        return failure.error();
    } catch (const RequirementFailed& broken) {
        return Error(ErrorCode::internal, said_by(broken.what()));
    } catch (const std::bad_alloc&) {
        return Error(ErrorCode::resource_exhausted, said_by("out of memory"));
    } catch (const std::system_error& error) {
        return Error(code_of(error), said_by(error.what()));
    } catch (const std::exception& error) {
        return Error(ErrorCode::internal, said_by(error.what()));
    } catch (...) {
        return Error(ErrorCode::internal, said_by("an exception of unknown type"));
    }
}

} // namespace

Error current_exception_to_error(std::string_view where) noexcept {
    try {
        return describe_current_exception(where);
    } catch (...) {
        // No memory to say where: a text this short needs none.
        return Error(ErrorCode::resource_exhausted, "out of memory");
    }
}

} // namespace leanhost
