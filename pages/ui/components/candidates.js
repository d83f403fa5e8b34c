// The candidates of a study as a table: rows are selected by a click or by keys, and grow at the end while one reads.
// Rows are kept between updates, so that nothing moves under the pointer. All words go in with textContent.
//
// data: {columns: [{id, name, wide, note}], rows: [{number, error, chosen, ...cells by id}], selected, label, height}
// Trigger: select (number).

const views = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const frame = parentElement.querySelector(".frame");
  const view = views.get(parentElement) ?? { selected: null };
  views.set(parentElement, view);
  frame.style.maxHeight = data.height;
  frame.querySelector("table").setAttribute("aria-label", data.label);
  head(frame.querySelector("thead tr"), data.columns);
  body(frame.querySelector("tbody"), data);
  mark(frame, data.selected, view.selected !== data.selected);
  view.selected = data.selected;

  const select = (number) => {
    mark(frame, number, true);
    if (number !== view.selected) setTriggerValue("select", number);
    view.selected = number;
  };
  frame.onclick = (event) => {
    const row = event.target.closest("tbody tr");
    if (row) select(Number(row.dataset.number));
  };
  frame.onkeydown = (event) => {
    const rows = [...frame.querySelectorAll("tbody tr")];
    const at = rows.findIndex((row) => Number(row.dataset.number) === view.selected);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined || !rows[to]) return;
    event.preventDefault();
    select(Number(rows[to].dataset.number));
    rows[to].focus({ preventScroll: true });
  };
}

function head(row, columns) {
  const names = columns.map((column) => column.name).join("\n");
  if (row.dataset.names === names) return;
  row.dataset.names = names;
  row.replaceChildren(...columns.map(({ name, wide, note }) => {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    if (note) cell.title = note;
    if (wide) cell.className = "wide";
    return cell;
  }));
}

function body(place, { rows, columns }) {
  const there = new Map([...place.children].map((row) => [row.dataset.number, row]));
  rows.forEach((one, index) => {
    const key = String(one.number);
    const row = there.get(key) ?? document.createElement("tr");
    there.delete(key);
    fill(row, one, columns);
    if (place.children[index] !== row) place.insertBefore(row, place.children[index] ?? null);
  });
  for (const row of there.values()) row.remove();
}

function fill(row, one, columns) {
  const stamp = JSON.stringify(one);
  if (row.dataset.stamp === stamp) return;
  row.dataset.stamp = stamp;
  row.dataset.number = one.number;
  row.classList.toggle("broken", Boolean(one.error));
  row.classList.toggle("chosen", one.chosen);
  row.title = one.error || "";
  row.replaceChildren(...columns.map(({ id, wide }) => {
    const cell = document.createElement("td");
    cell.textContent = one[id] ?? "–";
    if (wide) cell.className = "wide";
    return cell;
  }));
}

function mark(frame, selected, scroll) {
  for (const row of frame.querySelectorAll("tbody tr")) {
    const is = Number(row.dataset.number) === selected;
    row.setAttribute("aria-selected", String(is));
    row.tabIndex = is ? 0 : -1;
    if (is && scroll) reveal(frame, row);
  }
}

function reveal(frame, row) {
  const box = row.getBoundingClientRect();
  const own = frame.getBoundingClientRect();
  const top = own.top + frame.querySelector("thead").offsetHeight;
  if (box.top < top) frame.scrollTop += box.top - top;
  else if (box.bottom > own.bottom) frame.scrollTop += box.bottom - own.bottom;
}
