// The trace of a run: one row a visit, in order. The rows themselves are those of `rows.js`.

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const list = parentElement.querySelector("ol");
  if (!list || !data) return;
  list.setAttribute("aria-label", data.label);
  const rows = new Map([...list.children].map((row) => [row.dataset.visit, row]));
  data.visits.forEach((view, index) => {
    const key = String(view.visit);
    const row = rows.get(key) || makeRow(key);
    rows.delete(key);
    fillRow(row, view, (visit) => setTriggerValue("fork", visit));
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] || null);
  });
  for (const row of rows.values()) row.remove();
}
