"""What models cost, according to whom and as of when."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autoflow.errors import SettingsError
from autoflow.llm.prices import Price, find_price, load_prices


def test_every_shipped_price_names_its_source_date_and_endpoint(home: Path) -> None:
    prices = load_prices()
    assert prices
    for name, price in prices.items():
        assert "https://" in price.source, name
        assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", price.date), name
        assert price.host, name
        assert 0 < price.input <= price.output, name
        assert price.cached_input is None or price.cached_input < price.input, name


def test_price_of_the_user_wins_by_name(home: Path) -> None:
    (home / "prices.json").write_text('{"gpt-4o": {"input": 9, "output": 9}, "mine": {"input": 0, "output": 0}}')
    prices = load_prices()
    assert prices["gpt-4o"] == Price(input=9, output=9)
    assert prices["mine"].free
    assert "gpt-4o-mini" in prices


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ('{\n"a": {"input": 1, "output": 2},\n"b": {"input": 1}}', 3, "output"),
        ('{\n\n"a": {"input": "one", "output": 2}}', 3, "input"),
        ('{\n"a": {"input": -1, "output": 2}}', 2, "input"),
        ('{\n"a": {"input": NaN, "output": 2}}', 2, "input"),
        ('{\n"a": {"input": 1, "output": 2, "per": "token"}}', 2, "per"),
        ('{\n"a": 7}', 2, "`a`"),
        ('{\n"ä": 7}', 2, "`ä`"),
        ('{\n"a": {"input": 1,}}', 2, "no JSON"),
        ("[1]", 1, "object"),
        ("", 1, "no JSON"),
    ],
)
def test_mistake_is_told_with_its_line(text: str, line: int, complaint: str, home: Path) -> None:
    (home / "prices.json").write_text(text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        load_prices()
    assert caught.value.message.startswith(f"Line {line} of {home / 'prices.json'} ")
    assert complaint in caught.value.message


def test_binary_file_is_told(home: Path) -> None:
    (home / "prices.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"prices\.json cannot be read"):
        load_prices()


def test_price_is_found_under_a_dated_name_and_only_at_its_endpoint() -> None:
    prices = {"m": Price(input=1, output=2, host="api.example.com"), "own": Price(input=3, output=4)}
    assert find_price(prices, "api.example.com", "m-2026-08-07") == prices["m"]
    assert find_price(prices, "api.example.com", "m-20260807") == prices["m"]
    assert find_price(prices, "localhost", "m") is None, "another server may serve a model of this name"
    assert find_price(prices, "localhost", "own") == prices["own"]
    assert find_price(prices, "localhost", "connection", "own", "m") == prices["own"]
    assert find_price(prices, "api.example.com", "m2", "") is None
