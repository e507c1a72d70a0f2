// leanhost cycle --html: `data` is the report of --json.
page.append(element("h1", {}, "leanhost cycle"), element("p", { class: "note" },
  `${data.imports} imports in a worker whose child is replaced before import ${data.max_imports + 1}. ` +
  "The model is a model of Lean's own loader; no Lean was run."));
table(section("Findings"), ["", "finding", "bound"], data.findings.map((finding) => [
  finding.bound === "" ? { text: "observed", class: "" } : finding.holds ? { text: "holds", class: "good" } : { text: "FAILED", class: "bad" },
  finding.text, finding.bound]), [0, 1, 2]);

const columns = Object.values(data.columns);
const labels = columns[0].points.map((point) => point.import);
for (const [field, title, note] of [["gauge_bytes", "Private anonymous memory of the child", "A larger square: the first import of a fresh child, after a restart for max_imports."],
  ["rss_bytes", "RSS", "Clean file pages included, which cost nothing to reclaim."]]) {
  chart(section(title, note), "line", {
    labels,
    datasets: columns.map((column, index) => {
      const isFirst = column.points.map((point, at) => at > 0 && point.generation !== column.points[at - 1].generation);
      return line(column.title, column.points.map((point) => mib(point.sample[field])), index,
        { pointRadius: isFirst.map((first) => (first ? 6 : 2)), pointStyle: isFirst.map((first) => (first ? "rectRot" : "circle")) });
    }),
  }, "import", "MiB");
}
for (const column of columns) {
  table(section(column.title, `${column.generations} generations`), ["import", "generation", "anonymous", "RSS", "PSS", "relocated by this import"],
    column.points.map((point) => [point.import, point.generation, mibText(point.sample.gauge_bytes), mibText(point.sample.rss_bytes),
      mibText(point.sample.pss_bytes), mibText(point.relocated_bytes)]));
}
