// What every chart shares: Plotly itself, loaded once a page from this server, and the theme's colours.
// It is put before the script of a chart. Words go through `plain`: Plotly reads tags in the texts that it draws.

const charts = new WeakMap();

function plotly(address) {
  window.autoflowPlotly ??= new Promise((resolve, reject) => {
    const tag = document.createElement("script");
    tag.src = new URL(address, window.location.href).href;
    tag.onload = () => resolve(window.Plotly);
    tag.onerror = () => reject(new Error("The chart could not be loaded; the tables say the same."));
    document.head.append(tag);
  });
  return window.autoflowPlotly;
}

function plain(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\n", "<br>");
}

function theme(element) {
  const style = getComputedStyle(element);
  const of = (name) => style.getPropertyValue(`--st-${name}`).trim();
  return { text: of("text-color"), ground: of("background-color"), line: of("border-color"), accent: of("primary-color"),
    raised: of("secondary-background-color"), font: of("font") };
}

// Draws only what changed: the same data under the same theme is left alone. `figure` makes traces and layout of them,
// and of the width in steps of 40 pixels.
function chart(component, figure, clicked) {
  const { data, parentElement } = component;
  const frame = parentElement.querySelector(".autoflow-chart");
  const view = charts.get(parentElement) ?? { drawn: "" };
  charts.set(parentElement, view);
  frame.setAttribute("aria-label", data.label);
  frame.style.height = `${data.height}px`;
  view.clicked = (point) => clicked(point, component);
  view.draw = () => {
    const colours = theme(parentElement);
    const width = 40 * Math.floor(frame.clientWidth / 40);
    const stamp = JSON.stringify([data, colours, width]);
    if (view.drawn === stamp) return;
    view.drawn = stamp;
    const { traces, layout } = figure(data, colours, width);
    plotly(data.plotly).then(
      (Plotly) => put(Plotly, frame, view, stamp, traces, layout),
      (error) => { frame.textContent = error.message; },
    );
  };
  view.draw();
  follow(frame, view);
  return () => unfollow(frame, view);
}

function put(Plotly, frame, view, stamp, traces, layout) {
  if (view.drawn !== stamp || !frame.isConnected) return; // newer data came while Plotly was loading
  const config = { displaylogo: false, displayModeBar: true, modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]] };
  Plotly.react(frame, traces, layout, config);
  frame.removeAllListeners("plotly_click");
  frame.on("plotly_click", (event) => view.clicked(event.points[0]));
}

function follow(frame, view) {
  view.width ??= frame.clientWidth;
  view.observer ??= new ResizeObserver(() => {
    if (frame.clientWidth === view.width) return;
    view.width = frame.clientWidth;
    if (frame.classList.contains("js-plotly-plot") && view.width) {
      window.Plotly.Plots.resize(frame);
      view.draw();
    }
  });
  view.observer.observe(frame);
}

function unfollow(frame, view) {
  view.observer.disconnect();
  if (frame.classList.contains("js-plotly-plot")) window.Plotly.purge(frame);
  view.drawn = "";
}

function axis(colours, more) {
  return { gridcolor: colours.line, zeroline: false, linecolor: colours.line, tickcolor: colours.line, ...more };
}

function frameOf(colours, more) {
  return {
    autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
    font: { family: colours.font, color: colours.text, size: 13 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.text, activecolor: colours.accent, orientation: "h" },
    hoverlabel: { bgcolor: colours.raised, bordercolor: colours.line, align: "left",
      font: { family: colours.font, color: colours.text, size: 13 } },
    ...more,
  };
}
