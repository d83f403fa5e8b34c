"""How times, money, tokens and scores are written for people, in pages and in reports alike."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `6 min`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def time_left(pace: float | None, most: float | None = None) -> str:
    """`about 12 min left` at the pace so far, `at most 5 min left` where a limit comes first; or nothing.

    Args:
        pace, most: seconds; None: unknown, and no limit.
    """
    if most is not None and (pace is None or most < pace):
        return f"at most {duration(most)} left" if most > 0 else ""
    return f"about {duration(pace)} left" if pace else ""


def money(usd: float | None) -> str:
    """Dollars with as many places as small sums need; an unknown price is said to be unknown."""
    if usd is None:
        return "price unknown"
    if usd == 0:
        return "0 $"
    return f"{usd:.4f} $" if usd < 0.1 else f"{usd:.2f} $"


def tokens(prompt: int | None, completion: int | None) -> str:
    """`312→48 tok`; a dash for what the endpoint did not say."""
    return f"{_number(prompt)}→{_number(completion)} tok"


def of_a_run(calls: float, seconds: float, cached: float, usd: float | None) -> str:
    """`14 calls · 6.8 s · 0 $`; a time that says little, as the cache answered, is told as that.

    Args:
        cached: share of the calls that the cache answered, in [0, 1].
    """
    took = "from the cache" if cached == 1 else f"{duration(seconds)}{', partly from the cache' if cached else ''}"
    return f"{calls:.3g} calls · {took} · {money(usd)}"


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 problem`, `2 problems`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def number(value: float | None, places: int = 2) -> str:
    """`0.62`, `−0.50`; a dash where nothing was measured."""
    return "–" if value is None else f"{value:.{places}f}".replace("-", "−")


def percent(share: float | None) -> str:
    """A share in [0, 1] as `81 %`; a dash where nothing was measured."""
    return "–" if share is None else f"{share:.0%}".replace("%", " %")


def signed(difference: float) -> str:
    """A difference of scores: `+0.25`, `−0.10`, `0.00`."""
    shown = f"{difference:+.2f}".replace("-", "−")
    return "0.00" if shown[1:] == "0.00" else shown
