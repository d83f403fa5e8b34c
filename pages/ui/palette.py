"""One colour and one shape for each step type, everywhere: cards, graph, text, charts, exports.

Each colour is a single hue, the one that `autoflow.lang.export` fills shapes with. Components mix it with the theme's
own background and text (`color-mix`), so it keeps its contrast in light and dark. No colour stands alone: the shape
says the same, and the accent colour is kept for what can be pressed.
"""

from __future__ import annotations

from autoflow.lang.export import TYPE_COLOURS as PAINTED

TYPE_COLOURS: dict[str, str] = {name: colour.fill for name, colour in PAINTED.items()}
PROBLEM_COLOURS: dict[str, str] = {"error": "#d1293d", "warning": "#b7791f", "information": "#64748b"}
# The curves of a study: Okabe and Ito again, each with a contrast of 3 on the light and on the dark ground.
SERIES_COLOURS: dict[str, str] = {
    "val": "#0072b2", "best": "#d55e00", "train": "#b85c93", "valid": "#009e73", "spent": "#7b8494",
}  # fmt: skip

TYPE_ICONS: dict[str, str] = {
    "process": ":material/rectangle:",
    "decision": ":material/diamond:",
    "terminal": ":material/stop_circle:",
}
PROBLEM_ICONS: dict[str, str] = {
    "error": ":red[:material/error:]",
    "warning": ":orange[:material/warning:]",
    "information": ":gray[:material/info:]",
}


def css_variables() -> str:
    """The colours as custom properties, for the style sheet of a component."""
    named = {**{f"type-{k}": v for k, v in TYPE_COLOURS.items()}, **{f"is-{k}": v for k, v in PROBLEM_COLOURS.items()}}
    return ":host {\n" + "".join(f"  --{name}: {value};\n" for name, value in named.items()) + "}\n"
