// The curves of a study. Zoom, pan and hidden traces stay while it grows (`uirevision`).
//
// data: {study, series: [{id, name, axis, x, y, mode, dash, symbol, colour, size, hidden, words}], selected, amount, label,
//        height, plotly}. `words` is what is told of each point. Trigger: select (number of a candidate).

export default function (component) {
  return chart(component, curvesOf, (point, { setTriggerValue }) => {
    if (point.data.pickable) setTriggerValue("select", point.x);
  });
}

function curvesOf({ study, series, selected, amount }, colours) {
  return { traces: [...series.map((one) => traceOf(one, colours)), ringOf(series, selected, colours)],
    layout: layoutOf(study, amount, series, colours) };
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

// Candidates are whole numbers: while there are few, each has its tick, as Plotly would put some between them.
function ticks(series) {
  return Math.max(...series.flatMap((one) => one.x), 1) > 16 ? { nticks: 16 } : { dtick: 1 };
}

function layoutOf(study, amount, series, colours) {
  return frameOf(colours, {
    uirevision: study, margin: { l: 52, r: 64, t: 34, b: 76 }, dragmode: "zoom",
    legend: { orientation: "h", x: 0, y: -0.2, yanchor: "top", font: { size: 12.5 } },
    xaxis: axis(colours, { title: { text: "Candidate", standoff: 6 }, tickformat: "d", rangemode: "tozero",
      ...ticks(series) }),
    yaxis: axis(colours, { title: { text: "Score or reward", standoff: 8 }, nticks: 8 }),
    yaxis2: axis(colours, { title: { text: plain(amount), standoff: 8 }, overlaying: "y", side: "right", showgrid: false,
      rangemode: "tozero", nticks: 6, tickmode: "auto" }),
  });
}
