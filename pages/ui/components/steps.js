// Step cards: one listbox, its options are the steps. Everything a person or a model wrote goes in as textContent.
//
// data: {steps: [{index, name, type, instruction, branches: [{key, target, to, lost, count}], problems: {error, warning,
//        information}, badges: [{text, title}], state}], selected, editable, total, height, label, empty}
// Triggers: select (index), move ({from, to}), remove (index), add (index after which; -1: at the start).

const SVG = "http://www.w3.org/2000/svg";
const KEY_PAUSE_MS = 140; // a held arrow key selects once, when it comes to rest
const ANSWER_MS = 1500; // until an edit is drawn no other is sent: positions would be those of before
const views = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const list = parentElement.querySelector(".steps");
  const view = views.get(parentElement) ?? { selected: null, timer: null, drag: null, sent: 0 };
  views.set(parentElement, view);
  const fresh = view.selected !== data.selected;
  view.selected = data.selected;

  list.setAttribute("aria-label", data.label);
  list.style.maxHeight = data.height;
  parentElement.querySelector(".hint").hidden = !data.editable || data.steps.length === 0;
  list.replaceChildren(...data.steps.map((step) => card(step, data)));
  mark(list, data.selected, fresh);

  view.sent = 0;
  const send = (name, value) => {
    if (Date.now() - view.sent < ANSWER_MS) return;
    if (name !== "select") view.sent = Date.now();
    setTriggerValue(name, value);
  };
  const select = (index, pause) => {
    if (index === view.selected) return;
    view.selected = index;
    mark(list, index, true);
    clearTimeout(view.timer);
    view.timer = setTimeout(() => send("select", index), pause ? KEY_PAUSE_MS : 0);
  };
  list.onclick = (event) => {
    const branch = event.target.closest("[data-to]");
    const option = event.target.closest(".card");
    if (branch) select(Number(branch.dataset.to), false);
    else if (option) select(Number(option.dataset.index), false);
  };
  list.onkeydown = (event) => keys(event, data, view, select, send);
  if (data.editable) dragging(list, view, send);
  return () => clearTimeout(view.timer);
}

function keys(event, data, view, select, send) {
  const indexes = data.steps.map((step) => step.index);
  const at = indexes.indexOf(view.selected);
  const goal = { ArrowDown: at + 1, ArrowUp: Math.max(at, 1) - 1, Home: 0, End: indexes.length - 1 }[event.key];
  if (event.altKey && data.editable && at >= 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const to = view.selected + (event.key === "ArrowDown" ? 1 : -1);
    if (to >= 0 && to < data.total) send("move", { from: view.selected, to });
  } else if (goal !== undefined && !event.altKey) {
    if (indexes[goal] !== undefined) select(indexes[goal], true);
  } else if (event.key === "Delete" && data.editable && at >= 0) {
    send("remove", view.selected);
  } else if (event.key === "Insert" && data.editable) {
    send("add", view.selected ?? -1);
  } else {
    return;
  }
  event.preventDefault();
}

function mark(list, selected, scroll) {
  for (const option of list.children) {
    const is = Number(option.dataset.index) === selected;
    option.setAttribute("aria-selected", String(is));
    if (!is) continue;
    list.setAttribute("aria-activedescendant", option.id);
    if (scroll) reveal(list, option);
  }
  if (selected === null) list.removeAttribute("aria-activedescendant");
}

function reveal(list, option) {
  // scrollIntoView would move the whole page too
  const top = option.offsetTop - list.offsetTop;
  if (top < list.scrollTop) list.scrollTop = top - 8;
  else if (top + option.offsetHeight > list.scrollTop + list.clientHeight)
    list.scrollTop = top + option.offsetHeight - list.clientHeight + 8;
}

function dragging(list, view, send) {
  const clear = () => list.querySelectorAll(".before, .after").forEach((el) => el.classList.remove("before", "after"));
  const spot = (event) => {
    const option = event.target.closest(".card");
    if (!option) return null;
    const box = option.getBoundingClientRect();
    return { option, index: Number(option.dataset.index), after: event.clientY > box.top + box.height / 2 };
  };
  list.ondragstart = (event) => {
    view.drag = Number(event.target.closest(".card").dataset.index);
    event.dataTransfer.effectAllowed = "move";
  };
  list.ondragover = (event) => {
    const over = spot(event);
    clear();
    if (!over || view.drag === null) return;
    event.preventDefault();
    over.option.classList.add(over.after ? "after" : "before");
  };
  list.ondragend = () => {
    clear();
    view.drag = null;
  };
  list.ondrop = (event) => {
    const over = spot(event);
    const from = view.drag;
    list.ondragend();
    if (!over || from === null) return;
    event.preventDefault();
    let to = over.index + (over.after ? 1 : 0);
    if (to > from) to -= 1;
    if (to !== from) send("move", { from, to });
  };
}

function card(step, data) {
  const option = make("div", "card");
  option.id = `step-${step.index}`;
  option.setAttribute("role", "option");
  option.dataset.index = step.index;
  option.dataset.type = step.type;
  if (step.state) option.dataset.state = step.state;
  option.draggable = data.editable;
  const body = make("div", "body");
  body.append(head(step), make("div", "instruction", step.instruction));
  if (step.branches.length) body.append(branches(step));
  option.append(shape(step.type, step.index + 1), body);
  return option;
}

function head(step) {
  const row = make("div", "head");
  row.append(make("span", "name", step.name), make("span", "type", step.type));
  for (const badge of step.badges) {
    const chip = make("span", "badge", badge.text);
    if (badge.title) chip.title = badge.title;
    row.append(chip);
  }
  for (const severity of ["error", "warning", "information"]) {
    const count = step.problems[severity];
    if (count) row.append(make("span", `problem ${severity}`, `${count} ${severity}${count > 1 && severity !== "information" ? "s" : ""}`));
  }
  return row;
}

function branches(step) {
  const row = make("div", "branches");
  for (const branch of step.branches) {
    const chip = make("span", branch.lost ? "branch lost" : "branch");
    if (branch.to !== null) chip.dataset.to = branch.to;
    if (step.type !== "process") chip.append(make("span", "key", branch.key));
    chip.append(make("span", "arrow", "→"), make("span", "target", branch.to === null ? branch.target : label(branch)));
    if (branch.count) chip.append(make("span", "count", `×${branch.count}`));
    row.append(chip);
  }
  return row;
}

function label(branch) {
  const plain = new RegExp(`^(step )?${branch.to + 1}$`, "i").test(branch.target);
  return plain ? branch.target : `${branch.to + 1} ${branch.target}`;
}

function shape(type, number) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 40 32");
  svg.setAttribute("class", "shape");
  svg.setAttribute("aria-hidden", "true");
  const outline = document.createElementNS(SVG, type === "decision" ? "path" : "rect");
  const box = { x: 2, y: 4, width: 36, height: 24, rx: type === "terminal" ? 12 : 5 };
  const attributes = type === "decision" ? { d: "M20 1 L39 16 L20 31 L1 16 Z" } : box;
  for (const [name, value] of Object.entries(attributes)) outline.setAttribute(name, value);
  const text = document.createElementNS(SVG, "text");
  text.setAttribute("x", 20);
  text.setAttribute("y", 16);
  text.textContent = number;
  svg.append(outline, text);
  return svg;
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
