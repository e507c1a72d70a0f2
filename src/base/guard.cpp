#include "base/guard.hpp"

#include "base/require.hpp"

#include <string>
#include <system_error>

namespace leanhost {

Error current_exception_to_error(std::string_view where) noexcept {
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
        return Error(ErrorCode::io, said_by(error.what()));
    } catch (const std::exception& error) {
        return Error(ErrorCode::internal, said_by(error.what()));
    } catch (...) {
        return Error(ErrorCode::internal, said_by("an exception of unknown type"));
    }
}

} // namespace leanhost
