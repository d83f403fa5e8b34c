// The trace of a run: one row a visit, in order. The rows themselves are those of `rows.js`.
//
// data: {label, visits, sources: {sha256: address of a small picture}}
// Triggers: fork (visit), open (sha256 of a picture).

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const list = parentElement.querySelector("ol");
  if (!list || !data) return;
  list.setAttribute("aria-label", data.label);
  const looks = { sources: data.sources, open: (sha256) => setTriggerValue("open", sha256) };
  const rows = new Map([...list.children].map((row) => [row.dataset.visit, row]));
  data.visits.forEach((view, index) => {
    const key = String(view.visit);
    const row = rows.get(key) || makeRow(key);
    rows.delete(key);
    fillRow(row, view, (visit) => setTriggerValue("fork", visit), looks);
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] || null);
  });
  for (const row of rows.values()) row.remove();
}
