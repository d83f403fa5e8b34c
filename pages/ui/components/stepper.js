// A number of a step. It changes by itself while the latest is followed, but never under the fingers of who types.
//
// data: {label, step, last, following}. Trigger: step ({to: number, or null for the latest, at}).

export default function ({ data, parentElement, setTriggerValue }) {
  const { label, step, last, following } = data;
  const field = parentElement.querySelector("input"), latest = parentElement.querySelector("button");
  parentElement.querySelector("label span").textContent = label;
  const typing = field.matches(":focus") && field.value !== field.dataset.step;
  if (field.dataset.step !== String(step) && !typing) field.value = step;
  field.dataset.step = step;
  field.max = last;
  latest.hidden = following;
  const send = (to) => setTriggerValue("step", { to, at: Date.now() });
  field.onchange = () => {
    const to = Math.min(last, Math.max(1, Math.round(Number(field.value)) || step));
    field.value = to;
    if (to !== Number(field.dataset.step)) send(to);
  };
  latest.onclick = () => send(null);
}
