// Helpers of every page: elements, units, charts. Texts from the data become text nodes, never markup.
const page = document.getElementById("page");
const MIB = 1024 * 1024;
const COLORS = ["#0969da", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#bc4c00", "#0e7490", "#57606a"];

const mib = (bytes) => (bytes === null || bytes === undefined ? null : bytes / MIB);
const mibText = (bytes) => (mib(bytes) === null ? "unavailable" : mib(bytes).toFixed(mib(bytes) < 10 ? 2 : 1) + " MiB");

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return node;
}

function section(title, note) {
  const node = element("section", {}, element("h2", {}, title));
  if (note) node.append(element("p", { class: "note" }, note));
  page.append(node);
  return node;
}

function cards(entries) {
  page.append(element("div", { class: "cards" },
    ...entries.map(([value, label]) => element("div", { class: "card" }, element("b", {}, value), element("span", {}, label)))));
}

// `rows` of cells; a cell is a text or {text, class}. `textColumns`: indices that are aligned left.
function table(parent, head, rows, textColumns = []) {
  const kind = (index) => (textColumns.includes(index) ? { class: "text" } : {});
  const cell = (value, index) => element("td",
    value !== null && typeof value === "object" ? { class: (kind(index).class || "") + " " + value.class } : kind(index),
    value !== null && typeof value === "object" ? value.text : value);
  parent.append(element("div", { class: "scroll" }, element("table", {},
    element("thead", {}, element("tr", {}, ...head.map((text, index) => element("th", kind(index), text)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(cell)))))));
}

function chart(parent, type, chartData, xTitle, yTitle, more = {}) {
  const canvas = element("canvas", { role: "img", "aria-label": yTitle + " over " + xTitle });
  parent.append(element("div", { class: "chart" }, canvas));
  const { scales = {}, ...rest } = more;
  return new Chart(canvas, {
    type,
    data: chartData,
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      elements: { point: { radius: 2 }, line: { borderWidth: 2 } },
      plugins: {
        legend: { position: "bottom" },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.parsed.y === null ? "unavailable" : item.parsed.y.toFixed(2)} MiB` } },
      },
      ...rest,
      scales: {
        x: { title: { display: true, text: xTitle }, ...(scales.x || {}) },
        y: { title: { display: true, text: yTitle }, beginAtZero: true, ...(scales.y || {}) },
      },
    },
  });
}

const line = (label, points, index, more = {}) =>
  ({ label, data: points, borderColor: COLORS[index % COLORS.length], backgroundColor: COLORS[index % COLORS.length], ...more });
