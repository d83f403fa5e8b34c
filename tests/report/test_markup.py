"""No text can become anything but text."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from autoflow.report.markup import Markup, escape, tag, together
from tests.report.studies import HOSTILE


class Seen(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "5 < 6 & ", tag("b", '"x"')) == "<p>5 &lt; 6 &amp; <b>&quot;x&quot;</b></p>"
    assert together("<", None, Markup("<br>")) == "&lt;<br>"


def test_attributes_are_named_and_left_out_where_they_are_none() -> None:
    made = tag("input", type="radio", checked=True, disabled=False, for_="a\"'>", stroke_width=0, x=None)
    assert made == '<input type="radio" checked for="a&quot;&#x27;&gt;" stroke-width="0">'


def test_what_steers_is_shown_instead() -> None:
    assert escape("a\u202eb\x1b[2J\x00\ud800\nc\td") == "a\\u202eb\\u001b[2J\\u0000\\ud800\nc\td"
    escape("\ud800").encode("utf-8")


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc", "Cf"))) | st.just(HOSTILE))
def test_any_text_comes_back_as_the_text_it_was(text: str) -> None:
    seen = Seen(tag("p", text, title=text))
    assert [(name, attributes["title"]) for name, attributes in seen.tags] == [("p", text)]
    assert seen.text == text


@given(st.text())
def test_text_made_by_joining_is_text_again(text: str) -> None:
    """Only `tag` makes Markup: what is put together from it by hand is escaped once more, never let through."""
    assert not isinstance(tag("b") + text, Markup)
