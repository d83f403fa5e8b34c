// The graph of a workflow as SVG, laid out in Python. Labels go in as textContent.
//
// data: {name, layout: {width, height, nodes: [{index, x, y, w, h, type, title, lines, state, problem, sign}],
//        edges: [{source, number, points, back, key, count}]}, selected, label, selectable}
// Trigger: select (index).

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 14;
const views = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const frame = parentElement.querySelector(".frame");
  const view = views.get(parentElement) ?? { drawn: null };
  views.set(parentElement, view);
  const drawing = JSON.stringify(data.layout);
  if (view.drawn !== drawing) frame.replaceChildren(draw(data));
  view.drawn = drawing;
  frame.style.maxHeight = data.height;
  frame.setAttribute("aria-label", data.name);
  const fresh = view.selected !== data.selected;
  mark(frame, data.selected, fresh);
  view.selected = data.selected;
  frame.onclick = (event) => {
    const node = event.target.closest(".node");
    if (!node || !data.selectable) return;
    const index = Number(node.dataset.index);
    mark(frame, index, false);
    if (index !== view.selected) setTriggerValue("select", index);
    view.selected = index;
  };
}

function draw({ layout, label, selectable }) {
  const width = layout.width + 2 * MARGIN;
  const height = layout.height + 2 * MARGIN;
  const svg = make("svg", { viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}`, role: "img", "aria-label": label });
  svg.style.width = `${width}px`;
  svg.style.minWidth = `${Math.min(width, Math.max(280, width * 0.62))}px`;
  if (selectable) svg.classList.add("selectable");
  svg.append(arrowheads(), ...layout.edges.map(edge), ...layout.nodes.map(node), ...layout.edges.map(edgeLabel).filter(Boolean));
  return svg;
}

function arrowheads() {
  const defs = make("defs", {});
  for (const kind of ["arrow", "arrow-taken"]) {
    const marker = make("marker", { id: kind, viewBox: "0 0 8 8", refX: 7.2, refY: 4, markerWidth: 8, markerHeight: 8,
      markerUnits: "userSpaceOnUse", orient: "auto", class: kind });
    marker.append(make("path", { d: "M0 0.5 L8 4 L0 7.5 Z" }));
    defs.append(marker);
  }
  return defs;
}

function edge({ points, back, count }) {
  const marker = count ? "arrow-taken" : "arrow";
  const path = make("path", { d: back ? lane(points) : flow(points), "marker-end": `url(#${marker})` });
  path.setAttribute("class", `edge${back ? " back" : ""}${count ? " taken" : ""}`);
  return path;
}

function flow(points) {
  let d = `M${points[0][0]} ${points[0][1]}`;
  for (let i = 1; i < points.length; i += 1) {
    const [x0, y0] = points[i - 1];
    const [x1, y1] = points[i];
    const middle = (y0 + y1) / 2;
    d += ` C${x0} ${middle} ${x1} ${middle} ${x1} ${y1}`;
  }
  return d;
}

function lane([from, turn, back, to]) {
  const r = Math.min(10, Math.abs(turn[1] - back[1]) / 2);
  const up = back[1] < turn[1] ? -1 : 1;
  const out = turn[0] < from[0] ? -1 : 1;
  return `M${from[0]} ${from[1]} H${turn[0] - out * r} Q${turn[0]} ${turn[1]} ${turn[0]} ${turn[1] + up * r}` +
    ` V${back[1] - up * r} Q${back[0]} ${back[1]} ${back[0] - out * r} ${back[1]} H${to[0]}`;
}

function node({ index, x, y, w, h, type, title, lines, state, problem, sign }) {
  const group = make("g", { class: "node", transform: `translate(${x} ${y})`, "data-index": index, "data-type": type });
  if (state) group.dataset.state = state;
  const tip = make("title", {});
  tip.textContent = title;
  group.append(tip, outline(type, w, h));
  lines.forEach((line, i) => {
    const text = make("text", { y: (i - (lines.length - 1) / 2) * 15, class: i === 0 ? "name" : "sub" });
    text.textContent = line;
    group.append(text);
  });
  if (problem || sign) {
    const at = type === "decision" ? [0, -h / 2] : [w / 2 - 4, -h / 2 + 2];
    const mark = make("g", { class: `mark ${problem || "sign"}`, transform: `translate(${at[0]} ${at[1]})` });
    const text = make("text", {});
    text.textContent = problem ? "!" : sign;
    mark.append(make("circle", { r: 8 }), text);
    group.append(mark);
  }
  return group;
}

function outline(type, w, h) {
  if (type === "decision") return make("path", { d: `M0 ${-h / 2} L${w / 2} 0 L0 ${h / 2} L${-w / 2} 0 Z`, class: "outline" });
  const rx = type === "terminal" ? h / 2 : 8;
  return make("rect", { x: -w / 2, y: -h / 2, width: w, height: h, rx, class: "outline" });
}

function edgeLabel({ points, back, key, count }) {
  const words = [key, count ? `×${count}` : ""].filter(Boolean).join("  ");
  if (!words) return null;
  const out = points[1][0] < points[0][0] ? -1 : 1;
  const [x, y] = back ? [points[0][0] + out * 6, points[0][1] - 9] : near(points);
  const side = back ? (out < 0 ? " left" : " right") : "";
  const group = make("g", { class: `label${side}`, transform: `translate(${x} ${y})` });
  const text = make("text", {});
  text.textContent = words;
  group.append(text);
  return group;
}

function near(points) {
  // a third of the way along the first piece, where branches of one decision have drawn apart
  const [[x0, y0], [x1, y1]] = points;
  const t = 0.45;
  const s = 3 * t * t * (1 - t) + t * t * t; // x along the curve whose control points are upright
  const u = 3 * (1 - t) * (1 - t) * t + 3 * t * t * (1 - t);
  return [x0 + (x1 - x0) * s, y0 + ((y1 - y0) * u) / 2 + (y1 - y0) * t * t * t];
}

function mark(frame, selected, scroll) {
  for (const group of frame.querySelectorAll(".node")) {
    const is = Number(group.dataset.index) === selected;
    group.classList.toggle("selected", is);
    if (is && scroll) reveal(frame, group);
  }
}

function reveal(frame, group) {
  const box = group.getBoundingClientRect();
  const own = frame.getBoundingClientRect();
  if (box.top < own.top) frame.scrollTop += box.top - own.top - 20;
  else if (box.bottom > own.bottom) frame.scrollTop += box.bottom - own.bottom + 20;
}

function make(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
