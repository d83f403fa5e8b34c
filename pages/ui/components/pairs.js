// Two traces beside each other, steps aligned: a grid of two columns. The rows are those of `rows.js`.
//
// data: {label, names: [a, b], pairs: [[visit or null, visit or null]]}

function gap(name) {
  return element("div", "gap", `${name}: no such step`);
}

function visit(view) {
  const row = makeRow(String(view.visit), "div");
  fillRow(row, view, () => {});
  return row;
}

export default function (component) {
  const { data, parentElement } = component;
  const grid = parentElement.querySelector(".grid");
  const stamp = JSON.stringify([data.names, data.pairs]);
  if (grid.dataset.stamp === stamp) return;
  grid.dataset.stamp = stamp;
  grid.setAttribute("aria-label", data.label);
  const heads = data.names.map((name) => element("div", "title", name));
  const cells = data.pairs.flatMap((pair) => pair.map((view, side) => (view ? visit(view) : gap("AB"[side]))));
  grid.replaceChildren(...heads, ...cells);
}
