#include "pool/pool_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace leanhost {
namespace {

using Seconds = std::chrono::duration<double>;

prometheus::Histogram::BucketBoundaries buckets() {
    return {0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03,
            0.1,     0.3,     1,      3,      10,    30,    100};
}

void add_gauge(prometheus::Registry& registry, const char* name, const char* help, double value) {
    prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({}).Set(value);
}

void add_counter(prometheus::Registry& registry, const char* name, const char* help, double value) {
    prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({}).Increment(value);
}

void add_counters(prometheus::Registry& registry,
                  const char* name,
                  const char* help,
                  const char* label,
                  const std::map<std::string, std::uint64_t>& values) {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    for (const auto& [key, value] : values)
        family.Add({{label, key}}).Increment(static_cast<double>(value));
}

} // namespace

struct PoolMetrics::Histograms {
    prometheus::Registry registry;
    prometheus::Histogram& add(const char* name, const char* help) {
        return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({},
                                                                                         buckets());
    }
    prometheus::Histogram& wait =
        add("leanhost_pool_wait_seconds", "From the request for a lease to its grant");
    prometheus::Histogram& start =
        add("leanhost_pool_start_seconds", "Start and import of a child");
    prometheus::Histogram& fork =
        add("leanhost_pool_fork_seconds", "Birth of a child from a template");
    prometheus::Histogram& request =
        add("leanhost_pool_request_seconds", "A request in a child, there and back");
};

PoolMetrics::PoolMetrics() : histograms_(std::make_unique<Histograms>()) {}
PoolMetrics::~PoolMetrics() = default;

void PoolMetrics::count_acquired(LeaseSource source, std::chrono::microseconds waited) {
    histograms_->wait.Observe(Seconds(waited).count());
    const std::lock_guard lock(mutex_);
    ++counted_.acquired;
    ++counted_.acquired_by_source[std::string(lease_source_name(source))];
}

void PoolMetrics::count_refused(const std::string& rule) {
    const std::lock_guard lock(mutex_);
    ++counted_.refused;
    ++counted_.refused_by_rule[rule];
}

void PoolMetrics::count_evicted() {
    const std::lock_guard lock(mutex_);
    ++counted_.evicted;
}

void PoolMetrics::count_start(std::chrono::microseconds took, bool was_forked) {
    (was_forked ? histograms_->fork : histograms_->start).Observe(Seconds(took).count());
    const std::lock_guard lock(mutex_);
    ++counted_.generations;
    if (was_forked)
        ++counted_.generations_forked;
}

void PoolMetrics::count_request(std::chrono::microseconds took) {
    histograms_->request.Observe(Seconds(took).count());
    const std::lock_guard lock(mutex_);
    ++counted_.requests;
}

void PoolMetrics::count_end(const ExitFacts& facts) {
    const std::lock_guard lock(mutex_);
    ++counted_.ended_by_reason[std::string(
        restart_reason_name(facts.ended_by_us.value_or(RestartReason::child_exited)))];
    counted_.last_exit = facts.to_string();
}

void PoolMetrics::fill(PoolSnapshot& snapshot) const {
    const std::lock_guard lock(mutex_);
    snapshot.acquired = counted_.acquired;
    snapshot.acquired_by_source = counted_.acquired_by_source;
    snapshot.refused = counted_.refused;
    snapshot.refused_by_rule = counted_.refused_by_rule;
    snapshot.evicted = counted_.evicted;
    snapshot.requests = counted_.requests;
    snapshot.generations = counted_.generations;
    snapshot.generations_forked = counted_.generations_forked;
    snapshot.ended_by_reason = counted_.ended_by_reason;
    snapshot.last_exit = counted_.last_exit;
}

// Counters and gauges are made anew from the snapshot, so that both always tell the same.
std::string PoolMetrics::text(const PoolSnapshot& snapshot) const {
    prometheus::Registry registry;
    const auto number = [](auto value) { return static_cast<double>(value); };
    add_gauge(registry, "leanhost_pool_workers", "Children that serve", number(snapshot.workers));
    add_gauge(registry, "leanhost_pool_leased", "Children on loan", number(snapshot.leased));
    add_gauge(registry, "leanhost_pool_idle", "Children that wait", number(snapshot.idle));
    add_gauge(registry, "leanhost_pool_templates", "Templates", number(snapshot.templates));
    add_gauge(registry, "leanhost_pool_waiting", "Requests for leases that wait",
              number(snapshot.waiting));
    add_gauge(registry, "leanhost_pool_keys", "Import sets that are remembered",
              number(snapshot.keys));
    add_gauge(registry, "leanhost_pool_reserved_bytes", "Of the memory budget",
              number(snapshot.reserved_bytes));
    add_gauge(registry, "leanhost_pool_anonymous_bytes", "Anonymous and swapped memory of children",
              number(snapshot.anonymous_bytes));
    if (snapshot.max_total_bytes) {
        add_gauge(registry, "leanhost_pool_max_total_bytes", "The memory budget",
                  number(*snapshot.max_total_bytes));
    }
    if (snapshot.cgroup) {
        add_gauge(registry, "leanhost_pool_cgroup_holds", "1: all children are under its limit",
                  snapshot.cgroup->holds ? 1.0 : 0.0);
        add_gauge(registry, "leanhost_pool_cgroup_limit_bytes", "Of memory, page cache included",
                  number(snapshot.cgroup->limit_bytes));
        add_gauge(registry, "leanhost_pool_cgroup_used_bytes", "Of that limit",
                  number(snapshot.cgroup->used_bytes.value_or(0)));
        add_counter(registry, "leanhost_pool_cgroup_kills_total",
                    "Children that the kernel killed for that limit",
                    number(snapshot.cgroup->kills.value_or(0)));
    }
    add_counters(registry, "leanhost_pool_acquired_total", "Leases granted", "source",
                 snapshot.acquired_by_source);
    add_counters(registry, "leanhost_pool_refused_total", "Leases refused", "rule",
                 snapshot.refused_by_rule);
    add_counters(registry, "leanhost_pool_ended_total", "Children that ended", "reason",
                 snapshot.ended_by_reason);
    add_counter(registry, "leanhost_pool_evicted_total", "Idle children ended to make room",
                number(snapshot.evicted));
    add_counter(registry, "leanhost_pool_requests_total", "Requests answered",
                number(snapshot.requests));
    add_counter(registry, "leanhost_pool_generations_total", "Children that were born",
                number(snapshot.generations));
    add_counter(registry, "leanhost_pool_forked_total", "Children born from a template",
                number(snapshot.generations_forked));
    const prometheus::TextSerializer serializer;
    return serializer.Serialize(registry.Collect()) +
           serializer.Serialize(histograms_->registry.Collect());
}

} // namespace leanhost
