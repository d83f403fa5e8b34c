// A text editor that saves as you type: line numbers, problems underlined, the line of the selected step marked.
//
// data: {text, revision, problems: [{line, column, end, severity, message}], selected: [line], label, height, readonly}
// Trigger: saved ({text, revision, at}). State: went ({line, at}). `at` makes each one new. While the server is busy it
// keeps the last trigger, though another page is opened meanwhile, but only the last state, and of the page then open.
//
// What is typed is never thrown away: a text from the server replaces what is here only if nothing here is unsaved.

const PAUSE_MS = 900;
const PLAIN_LIMIT = 200000; // characters; beyond it the text is shown without marks
const views = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const area = parentElement.querySelector("textarea");
  const view = views.get(parentElement) ?? { server: null, sent: null, revision: 0, timer: null, line: 0 };
  views.set(parentElement, view);
  area.setAttribute("aria-label", data.label);
  area.readOnly = data.readonly;
  parentElement.querySelector(".editor").style.height = data.height;

  const dirty = view.server !== null && area.value !== view.server && area.value !== view.sent;
  if (!dirty && area.value !== data.text && (view.server !== data.text || view.sent === null)) put(area, data.text);
  if (view.server !== data.text) view.sent = null;
  view.server = data.text;
  view.revision = data.revision;
  paint(parentElement, area, data);
  view.observer ??= new ResizeObserver(() => follow(parentElement, area));
  view.observer.observe(area);

  const save = () => {
    clearTimeout(view.timer);
    view.timer = null;
    if (area.value === view.server || area.value === view.sent) return;
    view.sent = area.value;
    setTriggerValue("saved", { text: area.value, revision: view.revision, at: Date.now() });
  };
  area.oninput = () => {
    paint(parentElement, area, { ...data, problems: [] });
    clearTimeout(view.timer);
    view.timer = setTimeout(save, PAUSE_MS);
  };
  area.onblur = save;
  area.onscroll = () => follow(parentElement, area);
  area.onkeydown = (event) => {
    if ((event.ctrlKey || event.metaKey) && (event.key === "s" || event.key === "Enter")) {
      event.preventDefault();
      save();
    }
  };
  area.onclick = area.onkeyup = () => {
    const line = lineAt(area);
    if (line === view.line || view.timer) return;
    view.line = line;
    setStateValue("went", { line, at: Date.now() });
  };
  return () => {
    view.observer.disconnect();
    save();
  };
}

function put(area, text) {
  const at = area.selectionStart;
  area.value = text;
  area.setSelectionRange(Math.min(at, text.length), Math.min(at, text.length));
}

function lineAt(area) {
  return area.value.slice(0, area.selectionStart).split("\n").length;
}

function paint(root, area, data) {
  const back = root.querySelector(".back");
  const lines = area.value.length > PLAIN_LIMIT ? [] : area.value.split("\n");
  const byLine = new Map();
  for (const problem of data.problems) byLine.set(problem.line, [...(byLine.get(problem.line) ?? []), problem]);
  back.replaceChildren(...lines.map((text, i) => row(i + 1, text, byLine.get(i + 1) ?? [], data.selected.includes(i + 1))));
  follow(root, area);
}

function row(number, text, problems, selected) {
  const line = document.createElement("div");
  line.dataset.number = number;
  if (problems.length) line.className = problems.some((p) => p.severity === "error") ? "error" : problems[0].severity;
  if (selected) line.classList.add("selected");
  const points = Array.from(text); // columns are code points, not UTF-16 units
  let at = 0;
  for (const { from, to, tag, name } of marks(text, points, problems)) {
    if (from < at) continue;
    const mark = document.createElement(tag);
    mark.className = name;
    mark.textContent = points.slice(from, to).join("");
    line.append(points.slice(at, from).join(""), mark);
    at = to;
  }
  line.append(points.slice(at).join("") || "\u200b");
  return line;
}

function marks(text, points, problems) {
  const found = problems.map(({ column, end, severity }) => {
    const from = Math.min(column - 1, points.length);
    return { from, to: Math.min(Math.max(end - 1, from + 1), points.length), tag: "u", name: severity };
  });
  const type = /:::[ \t]*(process|decision|terminal)[ \t]*(?=:::)/i.exec(text);
  if (type) {
    const to = Array.from(text.slice(0, type.index + type[0].length)).length;
    found.push({ from: to - type[0].length + 3, to, tag: "span", name: type[1].toLowerCase() });
  }
  return found.filter((mark) => mark.to > mark.from).sort((a, b) => a.from - b.from);
}

function follow(root, area) {
  const back = root.querySelector(".back");
  back.style.width = `${area.clientWidth}px`; // without the scroll bar, so that both break lines alike
  back.style.transform = `translateY(${-area.scrollTop}px)`;
}
