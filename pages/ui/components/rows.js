// Rows that show one visit of a run each: what was asked and answered, with the whole of it behind. Shared by the
// components that show traces: this file is put before theirs.
// Everything that a model or a person wrote goes in with textContent. Rows are kept between updates, so that an opened
// prompt stays open and nothing moves under the pointer while tokens stream in.

const GLYPHS = { process: "●", decision: "◆", terminal: "■" };

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function block(label, text, note) {
  const part = element("div", "part");
  const head = element("div", "part-head");
  head.append(element("span", "source", label));
  if (note) head.append(element("span", "note", note));
  const body = element("pre", "text", text);
  body.tabIndex = 0;
  part.append(head, body);
  return part;
}

function disclosure(title, parts) {
  const box = element("details", "more");
  box.append(element("summary", "", title));
  for (const part of parts) box.append(block(part.label, part.text, part.note));
  return box;
}

function makeRow(visit, tag = "li") {
  const row = element(tag, "row");
  row.dataset.visit = visit;
  const head = element("div", "head");
  const names = ["glyph", "number", "name", "branch", "figures"];
  for (const name of names) head.append(element("span", name));
  row.append(head, element("div", "why"), element("div", "answer"), element("ul", "warnings"), element("div", "details"));
  return row;
}

function fillRow(row, view, emit) {
  const find = (name) => row.querySelector(`:scope > .${name}, :scope > .head > .${name}`);
  row.dataset.type = view.type;
  row.dataset.state = view.state;
  setText(find("glyph"), GLYPHS[view.type] || "●");
  find("glyph").title = view.type;
  setText(find("number"), String(view.visit));
  setText(find("name"), view.step);
  setText(find("branch"), view.branch ? `→ ${view.branch}` : "");
  setText(find("figures"), view.figures);
  setText(find("why"), view.why || "");
  setText(find("answer"), view.answer || (view.state === "running" ? "…" : ""));
  const warnings = find("warnings");
  if (warnings.dataset.shown !== view.warnings.join("\n")) {
    warnings.dataset.shown = view.warnings.join("\n");
    warnings.replaceChildren(...view.warnings.map((text) => element("li", "", text)));
  }
  fillDetails(find("details"), view, emit);
}

function fillDetails(box, view, emit) {
  const stamp = JSON.stringify([view.details, view.can_fork]);
  if (box.dataset.stamp === stamp) return;
  const open = [...box.querySelectorAll("details")].map((node) => node.open);
  box.dataset.stamp = stamp;
  const nodes = view.details.map((detail) => disclosure(detail.title, detail.parts));
  nodes.forEach((node, index) => { node.open = Boolean(open[index]); });
  if (view.can_fork) {
    const button = element("button", "fork", "Run again from here");
    button.type = "button";
    button.onclick = () => emit(view.visit);
    nodes.push(button);
  }
  box.replaceChildren(...nodes);
}
