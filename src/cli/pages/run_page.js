// leanhost run --html: `data` is the report of --memory-report.
const MAX_LINES = 8;
const processes = [...data.processes].sort((a, b) => (b.peak.gauge_bytes || 0) - (a.peak.gauge_bytes || 0));
const shown = processes.filter((process) => process.samples.length > 0).slice(0, MAX_LINES);
const name = (process) => `${process.pid} ${process.command.length > 40 ? process.command.slice(0, 37) + "…" : process.command}`;

page.append(element("h1", {}, "leanhost run"), element("p", { class: "note" }, data.command.join(" ")));
cards([
  [data.seconds.toFixed(1) + " s", "watched"],
  [`${data.totals.covered} of ${data.totals.processes}`, "processes under region sharing"],
  [data.totals.shares.toLocaleString("en"), "module mappings shared"],
  [mibText(data.totals.shared_bytes), "of private copies not made"],
  [data.totals.seconds_saved_at_least === null ? "unknown" : data.totals.seconds_saved_at_least.toFixed(2) + " s", "saved, at least"],
  [data.totals.refused.toLocaleString("en"), "module mappings not shared"],
]);

function overTime(title, note, field) {
  const points = (process) => process.samples.map((sample) => ({ x: sample.at_s, y: mib(sample[field]) }));
  chart(section(title, note), "line", { datasets: shown.map((process, index) => line(name(process), points(process), index)) },
    "seconds", "MiB", { parsing: false, interaction: { mode: "nearest", axis: "x", intersect: false }, scales: { x: { type: "linear", beginAtZero: true } } });
}
overTime("Private anonymous memory", "The gauge: what no other process shares and only exit or free gives back. Anonymous pages with swap.", "gauge_bytes");
overTime("RSS", "Resident, clean file pages included: shared modules count here in each process, and cost the machine once.", "rss_bytes");
overTime("PSS", "Resident, pages that several processes map divided among them.", "pss_bytes");

const grown = shown.filter((process) => process.anonymous_growth);
if (grown.length > 0) {
  const classes = Object.keys(grown[0].anonymous_growth);
  chart(section("What grew for other reasons", "Anonymous memory by class, from the first to the last time that a process's mappings were read. In a process under region sharing this is what sharing cannot help with."),
    "bar", { labels: grown.map(name), datasets: classes.map((of, index) => line(of, grown.map((process) => mib(process.anonymous_growth[of])), index)) },
    "process", "MiB", { scales: { x: { stacked: true }, y: { stacked: true } } });
}

const refusals = (sharing) => Object.entries(sharing.refused).filter(([, count]) => count > 0).map(([why, count]) => `${why} ${count}`).join(", ");
table(section("Processes"),
  ["pid", "command", "under sharing", "last anonymous", "peak anonymous", "peak RSS", "peak PSS", "mapped", "shared", "copies not made", "not shared"],
  processes.map((process) => [process.pid, process.command,
    process.region_sharing ? { text: "yes", class: "good" } : { text: process.coverage_text, class: "bad" },
    mibText(process.last.gauge_bytes), mibText(process.peak.gauge_bytes), mibText(process.peak.rss_bytes), mibText(process.peak.pss_bytes),
    ...(process.region_sharing
      ? [process.region_sharing.maps, process.region_sharing.shares, mibText(process.region_sharing.shared_bytes), refusals(process.region_sharing) || "0"]
      : ["-", "-", "-", "-"])]), [1, 2]);
