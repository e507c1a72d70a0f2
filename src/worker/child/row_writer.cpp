#include "worker/child/row_writer.hpp"

#include "base/failure.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace leanhost::worker {
namespace {

// What a row costs beside its bytes, so that empty rows cannot be sent without end.
constexpr std::uint64_t row_overhead_bytes = 8;
// What a batch's message needs beside its rows.
constexpr std::size_t batch_overhead_bytes = 256;

} // namespace

void RowWriter::add(std::string_view row) {
    if (row.size() + batch_overhead_bytes > channel_.max_outgoing_bytes()) {
        fail(ErrorCode::resource_exhausted,
             fmt::format("a row of {} bytes; the other side takes frames of at most {}", row.size(),
                         channel_.max_outgoing_bytes()));
    }
    std::unique_lock lock(mutex_);
    wire::RowBatch* batch = batch_.mutable_rows();
    const std::size_t with_row = batch_bytes_ + row.size() + row_overhead_bytes;
    if (batch_bytes_ > 0 && with_row + batch_overhead_bytes > channel_.max_outgoing_bytes()) {
        wait_for_credit(lock);
        send_batch();
    }
    if (batch_bytes_ == 0) {
        batch->set_first_row(rows_);
        first_row_at_ = std::chrono::steady_clock::now();
    }
    batch->add_sizes(static_cast<std::uint32_t>(row.size()));
    batch->mutable_rows()->append(row);
    batch_bytes_ += row.size() + row_overhead_bytes;
    ++rows_;
    row_bytes_ += row.size();
    checksum_.add(row);
    if (batch_bytes_ >= flush_bytes) {
        wait_for_credit(lock);
        send_batch();
    }
}

void RowWriter::flush() {
    std::unique_lock lock(mutex_);
    if (batch_bytes_ == 0)
        return;
    wait_for_credit(lock);
    send_batch();
}

void RowWriter::discard() {
    const std::lock_guard lock(mutex_);
    batch_.mutable_rows()->Clear();
    batch_bytes_ = 0;
}

std::optional<std::chrono::steady_clock::time_point>
RowWriter::flush_if_old(std::chrono::steady_clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (batch_bytes_ == 0 || credit_bytes_ == 0)
        return std::nullopt;
    if (now < first_row_at_ + flush_after)
        return first_row_at_ + flush_after;
    send_batch();
    return std::nullopt;
}

void RowWriter::give_credit(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    // A wrap could only come from a parent that gives credit without end; then it has enough.
    credit_bytes_ = credit_bytes_ > UINT64_MAX - bytes ? UINT64_MAX : credit_bytes_ + bytes;
    credit_given_.notify_all();
}

void RowWriter::wait_for_credit(std::unique_lock<std::mutex>& lock) {
    while (credit_bytes_ == 0) {
        if (token_.is_cancelled())
            fail(ErrorCode::cancelled, "cancelled");
        // The token is a flag; `wake` is called after it was set, so the time is for safety only.
        credit_given_.wait_for(lock, std::chrono::milliseconds(100));
    }
}

void RowWriter::send_batch() {
    if (batch_bytes_ == 0)
        return;
    batch_.set_request_id(request_id_);
    channel_.write(batch_);
    credit_bytes_ -= std::min<std::uint64_t>(credit_bytes_, batch_bytes_);
    batch_.mutable_rows()->Clear();
    batch_bytes_ = 0;
}

void RowWriter::fill(wire::Summary& summary) const {
    summary.set_rows(rows_);
    summary.set_row_bytes(row_bytes_);
    summary.set_checksum(checksum_.value());
}

} // namespace leanhost::worker
