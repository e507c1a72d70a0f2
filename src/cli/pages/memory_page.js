// leanhost memory --html: `data` is the report of --json.
const columns = Object.entries(data.columns);
const modelNote = "The model is a model of Lean's own loader; no Lean was run.";

page.append(element("h1", {}, "leanhost memory"), element("p", { class: "note" },
  `${data.workload.imports} fresh import/drop rounds, ${data.workload.imports} pooled acquires (capacity ${data.workload.pool_capacity}), ` +
  `${data.workload.bulk_calls} introspection calls. ${modelNote}`));
const anImport = columns.map(([, column]) => column.import).find((facts) => facts);
if (anImport) {
  cards([[anImport.modules.toLocaleString("en"), "modules"], [anImport.constants.toLocaleString("en"), "constants"],
    [mibText(anImport.region_bytes), "of module files"]]);
}
table(section("Findings"), ["", "finding", "bound"], data.findings.map((finding) => [
  finding.bound === "" ? { text: "observed", class: "" } : finding.holds ? { text: "holds", class: "good" } : { text: "FAILED", class: "bad" },
  finding.text, finding.bound]), [0, 1, 2]);

// Every checkpoint of any column, in the order in which they come.
const names = [];
for (const [, column] of columns) {
  let at = 0;
  for (const { name } of column.checkpoints) {
    const known = names.indexOf(name);
    if (known >= 0) at = known + 1;
    else names.splice(at++, 0, name);
  }
}
const at = (column, name) => column.checkpoints.find((checkpoint) => checkpoint.name === name);
function overCheckpoints(title, note, field, scale) {
  chart(section(title, note), "line", {
    labels: names,
    datasets: columns.map(([, column], index) => line(column.title, names.map((name) => (at(column, name) ? mib(at(column, name).sample[field]) : null)), index, { spanGaps: true })),
  }, "checkpoint", "MiB", { scales: { y: scale } });
}
overCheckpoints("Private anonymous memory over checkpoints", "The gauge: what dropping must give back. Logarithmic, because the columns differ a thousandfold.",
  "gauge_bytes", { type: "logarithmic", beginAtZero: false });
overCheckpoints("The same, linear", "", "gauge_bytes", {});
overCheckpoints("RSS", "Clean file pages included, which cost nothing to reclaim.", "rss_bytes", {});
overCheckpoints("PSS", "Pages that several processes map are divided among them.", "pss_bytes", {});

const held = columns.map(([, column]) => [column.title, at(column, "mixed_before_drop")]).filter(([, checkpoint]) => checkpoint && checkpoint.attribution);
if (held.length > 0) {
  const classes = Object.keys(held[0][1].attribution);
  for (const [field, title] of [["anonymous_bytes", "Where anonymous memory sits, an environment held"], ["rss_bytes", "Where resident memory sits, an environment held"]]) {
    chart(section(title, "Checkpoint mixed_before_drop."), "bar", {
      labels: held.map(([name]) => name),
      datasets: classes.map((of, index) => line(of, held.map(([, checkpoint]) => mib(checkpoint.attribution[of][field])), index)),
    }, "column", "MiB", { scales: { x: { stacked: true }, y: { stacked: true } } });
  }
}

table(section("Checkpoints, anonymous memory"), ["checkpoint", ...columns.map(([, column]) => column.title)],
  names.map((name) => [name, ...columns.map(([, column]) => (at(column, name) ? mibText(at(column, name).sample.gauge_bytes) : "-"))]));
const counters = ["imports", "reused", "acquired", "released_to_pool", "released_dropped", "drains", "drained"];
table(section("Counters of the session pools"), ["column", "phase", ...counters],
  columns.flatMap(([name, column]) => column.phases.map((phase) => [name, phase.name, ...counters.map((counter) => phase.pool[counter])])), [0, 1]);
