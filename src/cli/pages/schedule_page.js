// leanhost schedule --html: `data` is the report of --json.
page.append(element("h1", {}, "leanhost schedule"), element("p", { class: "note" },
  `${data.requests} requests of ${data.clients} clients for ${data.keys} import sets, at most ${data.pool.max_workers} children, ` +
  `a budget of ${mibText(data.pool.max_total_bytes)}.`));
cards([[data.answered.toLocaleString("en"), "answered"], [data.refused.toLocaleString("en"), "refused"], [data.failed.toLocaleString("en"), "failed"],
  [mibText(data.peak_anonymous_bytes), "peak of the children's anonymous memory"], [data.seconds.toFixed(2) + " s", "in all"]]);

const labels = data.points.map((point) => (point.ms / 1000).toFixed(2));
const memory = section("Memory of all children over time", "Reserved: what a lease may grow to by what its key needed before. The budget is a bound on it.");
chart(memory, "line", {
  labels,
  datasets: [line("anonymous", data.points.map((point) => mib(point.anonymous_bytes)), 0),
    line("reserved", data.points.map((point) => mib(point.reserved_bytes)), 3),
    line("budget", data.points.map(() => mib(data.pool.max_total_bytes)), 1, { pointRadius: 0, borderDash: [6, 4] })],
}, "seconds", "MiB");
const plain = { plugins: { legend: { position: "bottom" } } };
chart(section("Children and queue over time"), "line", {
  labels,
  datasets: ["leased", "idle", "templates", "waiting"].map((field, index) => line(field, data.points.map((point) => point[field]), index)),
}, "seconds", "count", plain);
chart(section("Births and evictions so far"), "line", {
  labels,
  datasets: ["generations", "evicted"].map((field, index) => line(field, data.points.map((point) => point[field]), index)),
}, "seconds", "count", plain);
for (const [title, counts] of [["Leases by source", data.pool.acquired_by_source], ["Refusals by rule", data.pool.refused_by_rule],
  ["Ends of children by reason", data.pool.ended_by_reason]]) {
  table(section(title), ["", "count"], Object.entries(counts || {}), [0]);
}
