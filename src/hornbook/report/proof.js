const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"];

const colours = () => {
  const style = getComputedStyle(root);
  return (name) => style.getPropertyValue(name).trim();
};

const shade = (colour, share) => `color-mix(in srgb, ${colour} ${100 * share}%, transparent)`;

const resolve = (colour) => {
  const probe = document.createElement("i");
  probe.style.color = colour;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  const parts = found.match(/color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)(?: \/ ([\d.]+))?\)/);
  return parts ? `rgba(${parts.slice(1, 4).map((part) => Math.round(255 * part))},${parts[4] ?? 1})` : found;
};

const lines = (chart, colour) => chart.curves.flatMap((curve) => {
  const own = colour(`--run-${curve.number % 6}`);
  const edge = { mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
  return [
    { ...edge, x: curve.x, y: curve.high },
    { ...edge, x: curve.x, y: curve.low, fill: "tonexty", fillcolor: resolve(shade(own, 0.18)) },
    {
      x: curve.x, y: curve.mean, name: plain(curve.name), mode: chart.steps ? "lines" : "lines+markers", hovertemplate: chart.y ? "%{y:.3f}" : "%{y:.1%}", cliponaxis: false,
      line: { color: own, width: 2.2, dash: curve.number < 6 ? "solid" : "dash" },
      marker: { size: 6.5, symbol: SYMBOLS[curve.number % 6], color: own },
    },
  ];
});

const traces = {
  lines,
  bars: (chart, colour) => [{
    type: "bar", x: chart.values.map((_, place) => place + 1), y: chart.values, hovertemplate: "%{y:.1%}<extra></extra>",
    marker: { color: colour("--run-0") },
  }],
};

const level = (at, colour, axis) => ({
  type: "line", [`${axis}ref`]: axis, [`${axis}0`]: at, [`${axis}1`]: at,
  ...(axis === "y" ? { xref: "paper", x0: 0, x1: 1 } : { yref: "paper", y0: 0, y1: 1 }),
  line: { color: colour("--muted"), width: 1, dash: "dot" },
});

const layout = (chart, colour, width) => {
  const axis = {
    gridcolor: colour("--rule"), linecolor: colour("--muted"), tickcolor: colour("--muted"), zeroline: false,
    fixedrange: true, automargin: true,
  };
  return {
    width, height: 320, margin: { l: 44, r: 10, t: 8, b: 44 }, showlegend: false, hovermode: "x unified",
    paper_bgcolor: "transparent", plot_bgcolor: "transparent",
    font: { family: getComputedStyle(root).getPropertyValue("--sans"), size: 12, color: colour("--muted") },
    hoverlabel: { bgcolor: colour("--paper"), bordercolor: colour("--rule"), font: { color: colour("--ink") } },
    xaxis: { ...axis, title: { text: chart.x, standoff: 8 }, showgrid: false, dtick: chart.edge || chart.steps ? undefined : 1 },
    yaxis: { ...axis, nticks: 6, ...(chart.y ? { title: { text: chart.y, standoff: 8 }, range: chart.range } : { range: [0, 1.03], tickformat: ".0%" }) },
    shapes: [
      ...(chart.chance ? [level(chart.chance, colour, "y")] : []),
      ...(chart.edge ? [level(chart.edge + 0.5, colour, "x")] : []),
    ],
  };
};

const draw = (width) => {
  const colour = colours();
  charts.forEach((chart) => Plotly.react(
    chart.id, traces[chart.kind](chart, colour), layout(chart, colour, width), { displayModeBar: false, responsive: true },
  ));
};

const unfold = (open) => document.querySelectorAll("details").forEach((section) => { section.open = open; });

const charts = JSON.parse(document.getElementById("charts").textContent);
addEventListener("beforeprint", () => unfold(true));
addEventListener("afterprint", () => unfold(false));
loadPlotly().then(() => {
  draw();
  document.getElementById("undrawn").remove();
  dark.addEventListener("change", () => draw());
  addEventListener("beforeprint", () => { root.classList.add("print"); draw(620); });
  addEventListener("afterprint", () => { root.classList.remove("print"); draw(); });
});
