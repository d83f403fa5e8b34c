"""What every HTML file of a report is: one file that fetches nothing, runs no script and cannot be made to.

The file may be sent to anybody and hold anything that people and models wrote: every text goes in through
`autoflow.report.markup`, and a policy in its head lets it load nothing but its own style sheet.
"""

from __future__ import annotations

import base64
import hashlib
import time
from functools import cache
from pathlib import Path

from autoflow import __version__
from autoflow.lang.export import TYPE_COLOURS
from autoflow.report.markup import Markup, tag


def html_file(title: str, *parts: Markup | None, style: str = "") -> str:
    """The whole file.

    Args:
        parts: what stands in it, from top to bottom.
        style: rules besides those that all reports share; never of what people wrote.
    """
    body = tag("body", tag("main", *parts))
    return "<!doctype html>\n" + tag("html", _head(title, _style() + style), body, lang="en") + "\n"


def made_on(at: float | None) -> str:
    """`Made with AutoFlow 0.1 on 2026-01-31 12:00 UTC.`"""
    day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(time.time() if at is None else at))
    return f"Made with AutoFlow {__version__} on {day}."


def _head(title: str, sheet: str) -> Markup:
    hashed = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(sheet)),
    )


@cache
def _style() -> str:
    hues = "".join(f"  --{name}: {colour.fill};\n" for name, colour in TYPE_COLOURS.items())
    return f":root {{\n{hues}}}\n" + Path(__file__).with_name("report.css").read_text("utf-8")
