const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const AXES = { step: "Steps", tokens: "Tokens seen", seconds: "Seconds of training" };
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"];

// A logarithmic axis has no place for zero, and Plotly would draw a line to its edge.
const along = (values, log) => (log ? values.map((value) => (value > 0 ? value : null)) : values);

const traces = (chart, axis, log, colour) => chart.curves.flatMap((curve) => {
  const line = { color: colour(`--run-${curve.run % 6}`), dash: curve.run < 6 ? "solid" : "dash" };
  return [
    { x: along(curve.train[axis], log), y: curve.train.value, mode: "lines", line: { ...line, width: 1 }, opacity: 0.5, hoverinfo: "skip" },
    {
      x: along(curve.evaluate[axis], log), y: curve.evaluate.value, name: plain(curve.name), mode: "lines+markers",
      line: { ...line, width: 2.2 }, marker: { size: 6.5, symbol: SYMBOLS[curve.run % 6], color: line.color },
      hovertemplate: "%{y:.3f}", cliponaxis: false,
    },
  ];
});

const layout = (axis, log, colour, width) => {
  const lines = {
    gridcolor: colour("--rule"), linecolor: colour("--muted"), tickcolor: colour("--muted"), zeroline: false,
    fixedrange: true, automargin: true,
  };
  return {
    width, height: 280, margin: { l: 36, r: 10, t: 6, b: 40 }, showlegend: false, hovermode: "x unified",
    paper_bgcolor: "transparent", plot_bgcolor: "transparent",
    font: { family: getComputedStyle(root).getPropertyValue("--sans"), size: 12, color: colour("--muted") },
    hoverlabel: { bgcolor: colour("--paper"), bordercolor: colour("--rule"), font: { color: colour("--ink") } },
    xaxis: {
      ...lines, type: log ? "log" : "linear", title: { text: AXES[axis], standoff: 8 }, showgrid: false, showline: true,
      ticks: "outside", ticklen: 4, nticks: 6, exponentformat: "SI", rangemode: log ? "normal" : "tozero",
    },
    yaxis: { ...lines, nticks: 7 },
  };
};

const draw = (width) => {
  const form = document.getElementById("axis").elements;
  const [axis, log] = [form.axis.value, form.log.checked];
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(name).trim();
  charts.forEach((chart, index) => Plotly.react(
    `chart-${index}`, traces(chart, axis, log, colour), layout(axis, log, colour, width),
    { displayModeBar: false, responsive: true },
  ));
};

// A closed section isn't printed, and a chart keeps the width and colours that it has on the screen.
const unfold = (open) => document.querySelectorAll("details").forEach((section) => { section.open = open; });

// The page of a run that goes on is loaded again and again, and the axis stays as it was chosen. In a notebook the output
// itself is replaced.
const live = document.getElementById("live");
const form = document.getElementById("axis");
const look = () => {
  const { every, patience, written } = live.dataset;
  const age = Date.now() / 1000 - written;
  if (age > patience) {
    live.textContent += ` This page was last written ${Math.round(age / 60)} minutes ago: the training has ended or was cut off.`;
    return;
  }
  if (!document.hidden && !document.querySelector("details[open]")) location.reload();
  else setTimeout(look, 1000 * every);
};
if (live && location.protocol === "file:") {
  const chosen = JSON.parse(sessionStorage.getItem(location.pathname));
  if (form && chosen) [form.elements.axis.value, form.elements.log.checked] = chosen;
  form?.addEventListener("change", () => sessionStorage.setItem(
    location.pathname, JSON.stringify([form.elements.axis.value, form.elements.log.checked]),
  ));
}
// It counts from when the charts are drawn, which takes a while beside a training.
const wait = () => { if (live && location.protocol === "file:") setTimeout(look, 1000 * live.dataset.every); };

const charts = JSON.parse(document.getElementById("charts")?.textContent ?? "[]");
addEventListener("beforeprint", () => unfold(true));
addEventListener("afterprint", () => unfold(false));
if (charts.length) {
  loadPlotly().then(() => {
    draw();
    document.getElementById("undrawn").remove();
    document.getElementById("axis").addEventListener("change", () => draw());
    dark.addEventListener("change", () => draw());
    wait();
    addEventListener("beforeprint", () => { root.classList.add("print"); draw(620); });
    addEventListener("afterprint", () => { root.classList.remove("print"); draw(); });
  });
} else wait();
