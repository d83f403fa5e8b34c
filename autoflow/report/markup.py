"""HTML that cannot be broken by what is written in it: everything goes in as text, unless it was built here.

    tag("p", "5 < 6", tag("b", name), class_="verdict")

A plain string is escaped, wherever it comes from; only `tag` makes `Markup`, which is not.
"""

from __future__ import annotations

import html
import re

_VOID = frozenset({"br", "input", "meta"})
# Characters that no page may hold (controls, halves of surrogate pairs) or that turn the order of letters round.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|[\ud800-\udfff]")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Any text as HTML that shows just that. What steers instead of showing is shown as `\\u202e`."""
    return Markup(html.escape(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text), quote=True))


def tag(element: str, /, *children: str | None, **attributes: str | float | bool | None) -> Markup:
    """One element.

    Args:
        children: text, which is escaped, or Markup; None is left out.
        attributes: `class_` is `class`, `stroke_width` is `stroke-width`; True is an attribute without a value, None
            and False are left out.
    """
    opened = element + "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if element in _VOID:
        return Markup(f"<{opened}>")
    return Markup(f"<{opened}>{together(*children)}</{element}>")


def together(*children: str | None) -> Markup:
    """Several pieces one after the other."""
    return Markup("".join(c if isinstance(c, Markup) else escape(c) for c in children if c is not None))


def _attribute(key: str, value: str | float | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if isinstance(value, bool):
        return f" {name}" if value else ""
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {name}="{escape(shown)}"'
