// Sampled texts in cards, each with its reward and what became of it. All words go in with textContent; what is the same
// as before is left alone.
//
// data: {label, samples: [{reward, kind: "error" | "copy" | "ran" | "waits", verdict, facts, text, candidate}]}
// Trigger: open ({candidate, at}).

const SIGNS = { error: "✕", copy: "≈", ran: "✓", waits: "…" };

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const frame = parentElement.querySelector(".samples");
  const stamp = JSON.stringify(data);
  if (frame.dataset.stamp === stamp) return;
  frame.dataset.stamp = stamp;
  frame.setAttribute("aria-label", data.label);
  const open = (candidate) => setTriggerValue("open", { candidate, at: Date.now() });
  frame.replaceChildren(...data.samples.map((sample) => card(sample, open)));
  frame.scrollTop = 0;
}

function card({ reward, kind, verdict, facts, text, candidate }, open) {
  const box = piece("section", "sample");
  box.dataset.kind = kind;
  const head = piece("div", "head");
  head.append(piece("strong", "reward", reward), verdictOf(kind, verdict));
  const foot = piece("div", "foot");
  foot.append(piece("span", "facts", facts));
  if (candidate !== null) {
    const button = piece("button", "open", `Candidate ${candidate}`);
    button.type = "button";
    button.onclick = () => open(candidate);
    foot.append(button);
  }
  const words = piece("pre", "text", text);
  words.tabIndex = 0;
  box.append(head, words, foot);
  return box;
}

function verdictOf(kind, verdict) {
  const words = piece("span", "verdict");
  const sign = piece("span", "sign", SIGNS[kind]);
  sign.setAttribute("aria-hidden", "true");
  words.append(sign, ` ${verdict}`);
  return words;
}

function piece(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}
