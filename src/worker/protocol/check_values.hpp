#pragma once

#include "worker/protocol/worker_messages.pb.h"

#include <leanhost/check_report.hpp>

/// What a check of whole files is asked and answers, to messages and back. What is read is checked
/// as in wire_values.hpp: above all, an acceptance that does not hang together is none. Reading
/// throws Failure `protocol_error` that names the field.
namespace leanhost::worker {

wire::CheckOptions to_wire(const CheckOptions& options);
CheckOptions check_options_from(const wire::CheckOptions& message);

wire::ExportReport to_wire(const ExportReport& report);
ExportReport export_report_from(const wire::ExportReport& message);

wire::ModulesReport to_wire(const ModulesReport& report);
ModulesReport modules_report_from(const wire::ModulesReport& message);

} // namespace leanhost::worker
