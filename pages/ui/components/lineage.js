// Who came from whom: the candidates of a study as a forest that grows to the right. The table is its twin for keys.
//
// data: {nodes: [{number, x, y, parent, score, error, chosen, words}], columns, rows, selected, label, height}
// `x`, `y`: column and row. Trigger: select (number).

const SVG = "http://www.w3.org/2000/svg";
const COLUMN = 92;
const ROW = 52;
const RADIUS = 16;
const views = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const frame = parentElement.querySelector(".frame");
  const view = views.get(parentElement) ?? { drawn: "" };
  views.set(parentElement, view);
  frame.style.maxHeight = data.height;
  const stamp = JSON.stringify(data.nodes);
  if (view.drawn !== stamp) frame.replaceChildren(forest(data));
  view.drawn = stamp;
  mark(frame, data);
  view.selected = data.selected;
  frame.onclick = (event) => {
    const node = event.target.closest(".node");
    if (!node) return;
    const number = Number(node.dataset.number);
    mark(frame, { ...data, selected: number });
    if (number !== view.selected) setTriggerValue("select", number);
    view.selected = number;
  };
}

function forest({ nodes, columns, rows, label }) {
  const width = columns * COLUMN;
  const height = rows * ROW + 14;
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  const places = new Map(nodes.map((node) => [node.number, [node.x * COLUMN + COLUMN / 2, node.y * ROW + ROW / 2 - 4]]));
  const edges = nodes.filter((node) => places.has(node.parent)).map((node) => edge(node, places));
  svg.append(...edges, ...nodes.map((node) => circle(node, places.get(node.number))));
  return svg;
}

function edge({ number, parent }, places) {
  const [x0, y0] = places.get(parent);
  const [x1, y1] = places.get(number);
  const middle = (x0 + x1) / 2;
  return make("path", { class: "edge", "data-number": number,
    d: `M${x0 + RADIUS} ${y0} C${middle} ${y0} ${middle} ${y1} ${x1 - RADIUS} ${y1}` });
}

function circle({ number, score, error, chosen, words, told }, [x, y]) {
  const group = make("g", { class: "node", "data-number": number, transform: `translate(${x} ${y})` });
  if (error) group.classList.add("broken");
  if (chosen) group.classList.add("chosen");
  const tip = make("title", {});
  tip.textContent = words;
  const disc = make("circle", { r: RADIUS, class: "disc" });
  disc.style.setProperty("--share", `${Math.round(5 + 40 * (score ?? 0))}%`);
  const name = make("text", { class: "name" });
  name.textContent = String(number);
  const below = make("text", { class: "score", y: RADIUS + 10 });
  below.textContent = told;
  group.append(tip, disc, name, below);
  return group;
}

function mark(frame, { nodes, selected }) {
  const parents = new Map(nodes.map((node) => [node.number, node.parent]));
  const line = new Set();
  for (let at = selected; at !== null && at !== undefined && !line.has(at); at = parents.get(at)) line.add(at);
  for (const node of frame.querySelectorAll(".node")) {
    node.classList.toggle("selected", Number(node.dataset.number) === selected);
  }
  for (const one of frame.querySelectorAll(".edge")) one.classList.toggle("line", line.has(Number(one.dataset.number)));
}

function make(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
