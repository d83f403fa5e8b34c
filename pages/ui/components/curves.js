// Curves of candidates or of steps. Zoom, pan and hidden traces stay while they grow (`uirevision`).
//
// data: {study, series: [{id, name, axis, x, y, low, mode, dash, symbol, colour, size, hidden, words}], selected, axes: {x, y,
//        amount, percent, upright}, label, height, plotly}. `words` is what is told of each point; with `low` it is a band.
// Trigger: select (x of a point).

export default function (component) {
  return chart(component, curvesOf, (point, { data, setTriggerValue }) => {
    if (point.data.pickable || data.axes.upright) setTriggerValue("select", point.x);
  });
}

function curvesOf({ study, series, selected, axes }, colours) {
  const traces = series.map((one) => (one.low.length ? bandOf(one) : traceOf(one, colours)));
  if (!axes.upright) traces.push(ringOf(series, selected, colours));
  return { traces, layout: layoutOf(study, axes, series, selected, colours) };
}

function traceOf(one, colours) {
  const colour = one.colour || colours.text;
  return {
    type: "scatter", uid: one.id, name: plain(one.name), x: one.x, y: one.y, mode: one.mode, yaxis: one.axis,
    text: one.words.map(plain), hovertemplate: "%{text}<extra></extra>", pickable: one.mode.includes("markers"),
    visible: one.hidden ? "legendonly" : true, connectgaps: true, cliponaxis: false,
    line: { color: colour, width: one.width, dash: one.dash, shape: one.stairs ? "hv" : "linear" },
    marker: { color: one.open ? colours.ground : colour, size: one.size, symbol: one.symbol, line: { color: colour, width: 1.5 } },
  };
}

// Along the upper edge and back along the lower one. A single point has no width, and so no band.
function bandOf(one) {
  return {
    type: "scatter", uid: one.id, name: plain(one.name), x: [...one.x, ...[...one.x].reverse()],
    y: [...one.y, ...[...one.low].reverse()], mode: "lines", yaxis: one.axis, hoverinfo: "skip", fill: "toself",
    fillcolor: `${one.colour}33`, line: { color: `${one.colour}00`, width: 0 }, visible: one.hidden ? "legendonly" : true,
  };
}

// Around the points of the candidate that is selected.
function ringOf(series, selected, colours) {
  const found = series.filter((one) => one.mode.includes("markers") && !one.hidden)
    .flatMap((one) => one.x.flatMap((x, i) => (x === selected && one.y[i] !== null ? [{ x, y: one.y[i] }] : [])));
  return {
    type: "scatter", uid: "selected", mode: "markers", x: found.map((p) => p.x), y: found.map((p) => p.y), hoverinfo: "skip",
    showlegend: false, cliponaxis: false,
    marker: { color: "rgba(0,0,0,0)", size: 19, line: { color: colours.accent, width: 3 } },
  };
}

// Candidates and steps are whole numbers: while there are few, each has its tick, as Plotly would put some between them.
function ticks(series) {
  return Math.max(...series.flatMap((one) => one.x), 1) > 16 ? { nticks: 16 } : { dtick: 1 };
}

function layoutOf(study, axes, series, selected, colours) {
  const share = axes.percent ? { range: [-0.02, 1.02], tickformat: ".0%", dtick: 0.2 } : { nticks: 8 };
  const right = { title: { text: plain(axes.amount), standoff: 8 }, overlaying: "y", side: "right", showgrid: false,
    rangemode: "tozero", nticks: 6, tickmode: "auto" };
  const across = { type: "line", x0: selected, x1: selected, y0: 0, y1: 1, yref: "paper", layer: "below",
    line: { color: colours.accent, width: 2 } };
  return frameOf(colours, {
    uirevision: study, margin: { l: 52, r: axes.amount ? 64 : 16, t: 34, b: 76 }, dragmode: "zoom",
    shapes: axes.upright && selected !== null ? [across] : [],
    legend: { orientation: "h", x: 0, y: -0.2, yanchor: "top", font: { size: 12.5 } },
    xaxis: axis(colours, { title: { text: plain(axes.x), standoff: 6 }, tickformat: "d", rangemode: axes.upright ? "normal" : "tozero",
      ...ticks(series) }),
    yaxis: axis(colours, { title: { text: plain(axes.y), standoff: 8 }, ...share }),
    ...(axes.amount ? { yaxis2: axis(colours, right) } : {}),
  });
}
