// A table to read: words to the left, numbers to the right. It scrolls sideways, by keys as well. Words go in with
// textContent; what is the same as before is left alone.
//
// data: {label, columns: [{name, kind: "text" | "wide" | "number"}], rows: [[text]], strong: [index of a row]}

export default function (component) {
  const { data, parentElement } = component;
  const frame = parentElement.querySelector(".frame");
  const stamp = JSON.stringify(data);
  if (frame.dataset.stamp === stamp) return;
  frame.dataset.stamp = stamp;
  frame.setAttribute("aria-label", data.label);
  frame.querySelector("thead tr").replaceChildren(...data.columns.map(({ name, kind }) => {
    const cell = piece("th", kind, name);
    cell.scope = "col";
    return cell;
  }));
  frame.querySelector("tbody").replaceChildren(...data.rows.map((texts, n) => {
    const row = document.createElement("tr");
    if (data.strong.includes(n)) row.className = "strong";
    row.append(...texts.map((text, k) => piece("td", data.columns[k].kind, text)));
    return row;
  }));
}

function piece(tag, kind, text) {
  const cell = document.createElement(tag);
  cell.className = kind;
  cell.textContent = text;
  return cell;
}
