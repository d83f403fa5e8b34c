// Candidates x tasks: how well each fared on each. A cell opens its trace.
//
// data: {study, rows: [{number, name}], columns: [{id, split} | null], cells: [[{score, mark, words} | null]], groups:
//        [{name, from, to}], selected, opened, label, height, plotly}. A null column parts two splits.
// Trigger: open ({candidate, task, at}).

export default function (component) {
  return chart(component, mapOf, (point, { data, setTriggerValue }) => {
    const task = data.columns[point.x];
    if (!task || !data.cells[point.y][point.x]) return;
    setTriggerValue("open", { candidate: data.rows[point.y].number, task: task.id, at: Date.now() });
  });
}

const AROUND = 132; // pixels beside the cells
const LEAST = 21; // pixels of a cell that has room for two digits

function mapOf(data, colours, width) {
  const { rows, columns, cells } = data;
  const told = (width - AROUND) / columns.length >= LEAST;
  const each = (pick, none = "") => cells.map((row) => row.map((cell) => (cell ? pick(cell) : none)));
  const trace = {
    type: "heatmap", z: each((cell) => cell.score, null), x: columns.map((_, i) => i), y: rows.map((_, i) => i),
    text: each((cell) => (told ? cell.mark : "")), texttemplate: "%{text}", textfont: { size: 11 },
    customdata: each((cell) => plain(cell.words)), hovertemplate: "%{customdata}<extra></extra>", hoverongaps: false,
    zmin: 0, zmax: 1, colorscale: "Cividis", xgap: 2, ygap: 2,
    colorbar: { title: { text: "Score", side: "right" }, thickness: 12, outlinewidth: 0, tickvals: [0, 0.5, 1], len: 1, x: 1.01 },
  };
  return { traces: [trace], layout: layoutOf(data, colours) };
}

function layoutOf({ study, rows, columns, groups, selected, opened }, colours) {
  const at = rows.findIndex((row) => row.number === selected);
  const task = columns.findIndex((column) => column && column.id === opened);
  const shapes = at < 0 ? [] : [frameAround(-0.5, columns.length - 0.5, at, colours.accent, 2)];
  if (at >= 0 && task >= 0) shapes.push(frameAround(task - 0.5, task + 0.5, at, colours.text, 3));
  return frameOf(colours, {
    uirevision: study, margin: { l: 62, r: 70, t: 44, b: 16 }, dragmode: "zoom", shapes,
    annotations: groups.map(({ name, from, to }) => ({
      text: plain(name), x: (from + to) / 2, xref: "x", y: 1, yref: "paper", yanchor: "bottom", showarrow: false,
    })),
    xaxis: axis(colours, { showticklabels: false, showgrid: false, ticks: "", range: [-0.6, columns.length - 0.4] }),
    yaxis: axis(colours, { autorange: "reversed", showgrid: false, ticks: "", tickvals: rows.map((_, i) => i),
      ticktext: rows.map((row) => plain(row.name)) }),
  });
}

function frameAround(x0, x1, y, color, width) {
  return { type: "rect", xref: "x", yref: "y", x0, x1, y0: y - 0.5, y1: y + 0.5, line: { color, width }, layer: "above" };
}
