// Generators down, interpreters across: a button for each pair, which opens it. A table for each suite and variant.
// Nodes are kept between updates, so that nothing moves under the pointer and the focus stays. Words go in with
// textContent.
//
// data: {corner, columns: [name], rows: [name], places: [{title, label, cells: [[{id, top, sub, words, state, ground, text}]]}]}
// A cell without an id cannot be opened. Trigger: open ({id, at}).

const MANY = 10; // columns that have no room for intervals; hovering and the table tell them

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".places");
  const shape = JSON.stringify([data.corner, data.columns, data.rows, data.places.map((place) => place.title)]);
  if (root.dataset.shape !== shape) {
    root.dataset.shape = shape;
    root.classList.toggle("compact", data.columns.length > MANY);
    root.replaceChildren(...data.places.map((place) => tableOf(place, data)));
  }
  data.places.forEach((place, n) => {
    const cells = root.children[n].querySelectorAll("tbody td");
    root.children[n].querySelector("table").setAttribute("aria-label", place.label);
    place.cells.flat().forEach((cell, k) => fill(cells[k], cell));
  });
  root.onclick = (event) => {
    const button = event.target.closest("button");
    if (button) setTriggerValue("open", { id: button.dataset.id, at: Date.now() });
  };
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function heading(name, scope) {
  const cell = element("th", "", name);
  cell.scope = scope;
  return cell;
}

function tableOf({ title }, { corner, columns, rows }) {
  const place = element("div", "place");
  const frame = element("div", "frame");
  const table = element("table");
  const head = element("tr");
  const body = element("tbody");
  head.append(element("td", "", corner), ...columns.map((name) => heading(name, "col")));
  for (const name of rows) {
    const row = element("tr");
    row.append(heading(name, "row"), ...columns.map(() => element("td")));
    body.append(row);
  }
  const top = element("thead");
  top.append(head);
  table.append(top, body);
  frame.append(table);
  place.append(element("div", "title", title), frame);
  return place;
}

function fill(place, cell) {
  const stamp = JSON.stringify(cell);
  if (place.dataset.stamp === stamp) return;
  place.dataset.stamp = stamp;
  const kind = cell.id ? "BUTTON" : "DIV";
  let node = place.firstElementChild;
  if (!node || node.tagName !== kind) {
    node = element(kind, cell.id ? "" : "gone");
    node.append(element("span", "top"), element("span", "sub"));
    place.replaceChildren(node);
  }
  if (cell.id) {
    node.type = "button";
    node.dataset.id = cell.id;
    node.setAttribute("aria-label", cell.words);
  }
  node.dataset.state = cell.state;
  node.title = cell.words;
  node.style.background = cell.ground;
  node.style.color = cell.text;
  node.querySelector(".top").textContent = cell.top;
  node.querySelector(".sub").textContent = cell.sub;
}
