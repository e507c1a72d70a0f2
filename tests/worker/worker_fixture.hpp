#pragma once

#include "base/failure.hpp"
#include "support/temp_dir.hpp"
#include "support_modules/module_maker.hpp"
#include "worker/parent/remote_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leanhost::worker::test {

/// A library in which A imports B, and C stands alone; and a supervisor of real workers.
class WorkerFixture : public testing::Test {
protected:
    WorkerFixture() {
        using leanhost::test::write_module;
        write_module(folder.path(), "B", {}, {"B.one", "B.two"});
        write_module(folder.path(), "A", {"B"}, {"A.one"});
        write_module(folder.path(), "C", {}, {"C.one"});
    }

    WorkerOptions options() const {
        WorkerOptions options;
        options.executable = LEANHOST_WORKER_PROGRAM;
        options.runtime.search_path = {folder.path()};
        options.runtime.revalidate_after = std::chrono::milliseconds(0);
        options.start_timeout = std::chrono::seconds(20);
        options.request_timeout = std::chrono::seconds(20);
        return options;
    }

    std::shared_ptr<Worker> worker(WorkerOptions with, const ImportSet& imports = {"A"}) {
        const auto templates = [this, with, imports](const CallOptions* call) {
            if (template_ == nullptr || !template_->is_usable())
                template_ = std::make_shared<TemplateWorker>(*supervisor, with, imports, call);
            return template_;
        };
        WorkerHooks hooks{.template_source = templates};
        hooks.on_event = [this](const WorkerEvent& event) {
            if (event.kind != WorkerEvent::Kind::answered)
                events.push_back(event);
            if (on_event)
                on_event(event);
        };
        if (may_overlap) {
            hooks.room_for_successor = [this](const auto& predecessor) -> std::shared_ptr<void> {
                return may_overlap() ? predecessor : nullptr;
            };
        }
        return std::make_shared<Worker>(*supervisor, with, imports, hooks);
    }

    /// The error that `body` throws; nullopt when it throws none.
    template <class F>
    static std::optional<Error> error_of(F&& body) {
        try {
            body();
        } catch (const Failure& failure) {
            return failure.error();
        }
        return std::nullopt;
    }

    leanhost::test::TempDir folder;
    std::vector<WorkerEvent> events;
    OnWorkerEvent on_event;
    std::function<bool()> may_overlap;
    std::unique_ptr<Supervisor> supervisor = std::make_unique<Supervisor>();
    std::shared_ptr<TemplateWorker> template_;
};

} // namespace leanhost::worker::test
