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
  row.append(head, element("div", "why"), element("div", "answer"), element("ul", "warnings"));
  row.append(element("div", "pictures"), element("div", "details"));
  return row;
}

function fillRow(row, view, emit, looks = {}) {
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
  fillPictures(find("pictures"), view.pictures || [], looks);
  fillDetails(find("details"), view, emit);
}

// What tools did to pictures. looks.sources: {sha256: address of a small picture}; looks.open: where one can be opened.
function fillPictures(box, tools, { sources = {}, open }) {
  const known = tools.flatMap((tool) => [...tool.before, ...tool.after]).map((one) => Boolean(sources[one.sha256]));
  const stamp = JSON.stringify([tools, known]);
  if (box.dataset.stamp === stamp) return;
  box.dataset.stamp = stamp;
  box.replaceChildren(...tools.map((tool) => lookOf(tool, sources, open)));
}

function lookOf(tool, sources, open) {
  const box = element("div", "look");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `Pictures of ${tool.tool}`);
  const title = element("div", "part-head");
  title.append(element("span", "source", tool.tool), element("span", "note", tool.by));
  const line = element("div", "line");
  const figures = (ones, when) => ones.map((one) => figure(one, when, sources[one.sha256], open));
  const after = tool.said ? [element("div", "said", tool.said)] : figures(tool.after, "after");
  const arrow = element("span", "arrow", "→");
  arrow.setAttribute("aria-hidden", "true");
  line.append(...figures(tool.before, "before"), ...(tool.before.length ? [arrow] : []), ...after);
  box.append(title, line);
  return box;
}

function figure(one, when, source, open) {
  const box = element("figure", "figure");
  if (source) box.append(opened(small(one, when, source), one, open));
  box.append(element("figcaption", "caption", `${one.name}, ${one.size}`));
  return box;
}

function small(one, when, source) {
  const image = element("img", "small");
  image.src = source;
  image.alt = `${one.name}, ${when} the tool`;
  return image;
}

function opened(image, one, open) {
  if (!open) return image;
  const button = element("button", "open");
  button.type = "button";
  button.title = "Open larger";
  button.append(image);
  button.onclick = () => open(one.sha256);
  return button;
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
