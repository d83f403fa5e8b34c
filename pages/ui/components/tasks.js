// The tasks of a comparison as a table: what was expected, what each side answered, and how both scored.
// All words go in with textContent. A task's button opens its traces.
//
// data: {label, names: [a, b], rows: [{task, objective, expected, a, b, difference, sign}], selected, selectable}
//   a, b: {score, answers, figures, problems}
// Trigger: select (task).

const SHORT = 300; // characters of a text that are shown unfolded

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function long(text) {
  if (text.length <= SHORT) return element("div", "text", text);
  const box = element("details");
  box.append(element("summary", "", `${text.slice(0, SHORT).trimEnd()}…`), element("div", "text", text));
  return box;
}

function side({ score, answers, figures, problems }) {
  const cell = element("td");
  cell.append(element("strong", "score", score), ...answers.map(long));
  cell.append(...problems.map((text) => element("div", "problem", text)));
  cell.append(element("div", "quiet", figures));
  return cell;
}

function row(one, selectable, emit) {
  const line = element("tr");
  line.dataset.task = one.task;
  const name = element("th");
  name.scope = "row";
  name.append(long(one.objective || one.task), element("div", "quiet", one.task));
  if (selectable) {
    const button = element("button", "open", "Traces");
    button.type = "button";
    button.setAttribute("aria-label", `Traces of ${one.task}`);
    button.onclick = () => emit(one.task);
    name.append(button);
  }
  const expected = element("td");
  expected.append(long(one.expected));
  const difference = element("td", "number", [one.sign, one.difference].filter(Boolean).join(" "));
  line.append(name, expected, side(one.a), side(one.b), difference);
  return line;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const frame = parentElement.querySelector(".frame");
  frame.setAttribute("aria-label", data.label);
  const stamp = JSON.stringify([data.rows, data.names, data.selectable]);
  if (frame.dataset.stamp !== stamp) {
    frame.dataset.stamp = stamp;
    const heads = ["Task", "Expected", data.names[0], data.names[1], "B − A"];
    frame.querySelector("thead tr").replaceChildren(...heads.map((text) => {
      const head = element("th", "", text);
      head.scope = "col";
      return head;
    }));
    const emit = (task) => setTriggerValue("select", task);
    frame.querySelector("tbody").replaceChildren(...data.rows.map((one) => row(one, data.selectable, emit)));
  }
  for (const line of frame.querySelectorAll("tbody tr")) {
    line.classList.toggle("selected", line.dataset.task === data.selected);
    line.querySelector("button.open")?.setAttribute("aria-pressed", String(line.dataset.task === data.selected));
  }
}
