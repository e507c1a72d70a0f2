#pragma once

#include "worker/child/row_writer.hpp"
#include "worker/child/session_table.hpp"

#include <leanhost/capabilities.hpp>

#include <atomic>
#include <map>

namespace leanhost::worker {

/// What a request may use while it runs.
struct RequestContext {
    RowWriter& rows;
    CallOptions options; ///< progress to the parent, cancellation from it
};

/// The worker's engine and what it holds; answers requests. Thread-safe: requests run side by side.
class RequestHandler {
public:
    /// From the parent's greeting. Throws Failure: those of Runtime::init and Capabilities::load,
    /// protocol_error.
    explicit RequestHandler(const wire::Hello& hello);

    /// Runs one request to its end; rows go out as they come, the rest is put into `summary`.
    /// Throws whatever stands for its failure; the caller guards.
    void
    answer(const wire::ToWorker& request, const RequestContext& context, wire::Summary& summary);

    wire::HelloAnswer greeting(bool can_fork, std::uint32_t max_frame_bytes) const;
    std::uint64_t num_requests() const noexcept { return num_requests_; }

private:
    void
    open(const wire::OpenRequest& request, const RequestContext& context, wire::Summary& summary);
    void query(const wire::QueryRequest& request, const RequestContext& context);
    void list(const wire::ListRequest& request, const RequestContext& context);
    void search(const wire::SearchRequest& request,
                const RequestContext& context,
                wire::Summary& summary);
    void references(const wire::ReferencesRequest& request, const RequestContext& context);
    void axioms(const wire::AxiomsRequest& request, const RequestContext& context);
    void find(const wire::FindRequest& request, wire::Summary& summary);
    void capability(const wire::CapabilityRequest& request,
                    const RequestContext& context,
                    wire::Summary& summary);
    void kernel(const wire::KernelRequest& request, const RequestContext& context);
    void stats(wire::Summary& summary) const;

    Runtime runtime_;
    SessionTable sessions_;
    std::map<std::string, Capabilities> capabilities_; // by library name; constant
    std::atomic<std::uint64_t> num_requests_{0};
};

} // namespace leanhost::worker
