// The step-wise difference of two workflows. All words go in with textContent.
//
// data: {label, records: [{sign, title, what, type, fields: [{field, before: [[kind, text]], after: [[kind, text]]}]}]}

const ELEMENTS = { same: "span", removed: "del", added: "ins" };

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function pieces(parts, side) {
  const box = element("div", `text ${side}`);
  box.append(...parts.map(([kind, text]) => element(ELEMENTS[kind], "", text)));
  return box;
}

function record({ sign, title, what, type, fields }) {
  const item = element("li", "change");
  item.dataset.type = type;
  const head = element("div", "head");
  head.append(element("span", "sign", sign), element("span", "name", title), element("span", "what", what));
  item.append(head);
  for (const { field, before, after } of fields) {
    const row = element("div", "field");
    row.append(element("div", "label", field), pieces(before, "before"), pieces(after, "after"));
    item.append(row);
  }
  return item;
}

export default function (component) {
  const { data, parentElement } = component;
  const list = parentElement.querySelector("ul");
  const stamp = JSON.stringify(data.records);
  list.setAttribute("aria-label", data.label);
  if (list.dataset.stamp === stamp) return;
  list.dataset.stamp = stamp;
  list.replaceChildren(...data.records.map(record));
}
