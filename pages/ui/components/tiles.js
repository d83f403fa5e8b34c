// Small charts, one a figure: a line from 0 or below up to the greatest value, the latest value, and the range. Under the
// pointer a chart tells the value of the step there. All words go in with textContent.
//
// data: {label, tiles: [{id, name, note, x, y, words}], selected}

const WIDTH = 200, HEIGHT = 56, EDGE = 3;

export default function (component) {
  const { data, parentElement } = component;
  const frame = parentElement.querySelector(".tiles");
  const stamp = JSON.stringify(data);
  if (frame.dataset.stamp === stamp) return;
  frame.dataset.stamp = stamp;
  frame.setAttribute("aria-label", data.label);
  frame.replaceChildren(...data.tiles.map((tile) => card(tile, data.selected)));
}

function card(tile, selected) {
  const box = piece("div", "tile");
  box.dataset.figure = tile.id;
  const head = piece("div", "head");
  head.append(piece("span", "name", tile.name), piece("span", "last", tile.words.at(-1) ?? "–"));
  const words = piece("div", "range", rangeOf(tile));
  const scale = scaleOf(tile);
  const chart = drawn(tile, scale);
  const here = upright("here"), chosen = upright("chosen");
  const at = tile.x.indexOf(selected);
  if (at >= 0) place(chosen, scale.x(at));
  chart.append(chosen, here);
  chart.onpointermove = (event) => {
    const box = chart.getBoundingClientRect();
    const near = nearest(tile, scale, ((event.clientX - box.left) / box.width) * WIDTH);
    place(here, scale.x(near));
    words.textContent = `step ${tile.x[near]}: ${tile.words[near]}`;
  };
  chart.onpointerleave = () => {
    here.setAttribute("visibility", "hidden");
    words.textContent = rangeOf(tile);
  };
  box.append(head, chart, words, piece("div", "note", tile.note));
  return box;
}

function rangeOf({ y, words }) {
  if (!y.length) return "";
  const low = words[y.indexOf(Math.min(...y))], high = words[y.indexOf(Math.max(...y))];
  return low === high ? `always ${low}` : `${low} to ${high}`;
}

function scaleOf({ x, y }) {
  const low = Math.min(0, ...y), high = Math.max(...y, low + 1e-12);
  const across = Math.max(1, x.length - 1);
  return {
    x: (i) => EDGE + (i / across) * (WIDTH - 2 * EDGE),
    y: (value) => HEIGHT - EDGE - ((value - low) / (high - low)) * (HEIGHT - 2 * EDGE),
  };
}

function nearest({ x }, scale, at) {
  const step = x.length > 1 ? scale.x(1) - scale.x(0) : 1;
  return Math.min(x.length - 1, Math.max(0, Math.round((at - EDGE) / step)));
}

function drawn({ x, y }, scale) {
  const chart = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  chart.append(shape("line", { class: "zero", x1: 0, x2: WIDTH, y1: scale.y(0), y2: scale.y(0) }));
  const points = y.map((value, i) => `${scale.x(i).toFixed(1)},${scale.y(value).toFixed(1)}`);
  if (points.length === 1) points.push(`${WIDTH - EDGE},${scale.y(y[0]).toFixed(1)}`); // a level, as one point is no line
  chart.append(shape("polyline", { class: "line", points: points.join(" ") }));
  return chart;
}

function upright(name) {
  return shape("line", { class: name, y1: 0, y2: HEIGHT, visibility: "hidden" });
}

function place(line, x) {
  line.setAttribute("x1", x);
  line.setAttribute("x2", x);
  line.setAttribute("visibility", "visible");
}

function shape(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function piece(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}
