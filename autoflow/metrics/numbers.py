"""Numbers as people and models write them."""

from __future__ import annotations

import math
import re

_SIGN = r"(?:(?<![\w.,)\]])[-+−])?"  # in `10-12` and `GPT-4` the dash is no sign
_EXPONENT = r"(?:[eE][-+]?\d{1,3}(?!\w))?"
_GROUP = "['’_\u00a0\u202f]"  # between thousands, besides the comma or the point


def _pattern(point: str, comma: str) -> re.Pattern[str]:
    whole = rf"\d{{1,3}}(?:(?P<gap>{comma}|{_GROUP})\d{{3}}(?:(?P=gap)\d{{3}})*)(?!\d)|\d+"
    return re.compile(
        rf"(?P<sign>{_SIGN})(?P<whole>(?:{whole})(?:{point}\d+)?|(?<!\d){point}\d+)(?P<exponent>{_EXPONENT})"
    )


_POINT, _COMMA = _pattern(r"\.", ","), _pattern(",", r"\.")
_BELOW = re.compile(r"\s?/\s?(\d+)(?![\d/]|[.,]\d)")


def numbers(text: str, *, decimal_comma: bool = False) -> list[float]:
    """All numbers of a text in their order.

    Read are signs, thousands (`1,234.5`, `1'234`, with `decimal_comma` `1.234,5`), exponents (`1.2e-3`) and fractions
    of whole numbers (`3/4`; not dates such as `1/2/2024`). `12 %` is 12 and `$5` is 5: what stands beside a number
    does not change it. Numbers too large for 64 bits and numbers in words are left out.
    """
    found, at = [], 0
    pattern = _COMMA if decimal_comma else _POINT
    while match := pattern.search(text, at):
        at = match.end()
        value = _value(match, decimal_comma)
        below = _BELOW.match(text, at) if _is_whole(match) and text[match.start() - 1 : match.start()] != "/" else None
        if below and float(below[1]):
            value, at = value / float(below[1]), below.end()
        if math.isfinite(value):
            found.append(value)
    return found


def _value(match: re.Match[str], decimal_comma: bool) -> float:
    digits = re.sub(_GROUP, "", match["whole"])
    digits = digits.replace(".", "").replace(",", ".") if decimal_comma else digits.replace(",", "")
    return float(match["sign"].replace("−", "-") + digits + match["exponent"])


def _is_whole(match: re.Match[str]) -> bool:
    return match["whole"].isdigit() and not match["exponent"]
