"""The search tools of TravelPlanner, and what is told of files that are damaged."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import AutoFlowError, SettingsError, ToolArgumentError, ToolFailed
from autoflow.records import Task
from autoflow.tools import Toolbox, ToolContext, open_toolbox
from autoflow.tools.toolbox import RESULT_CHARACTERS
from autoflow.tools.travel.database import CITIES, TABLES, TravelDatabase, open_database
from autoflow.tools.travel.search import SOURCE, listed, paged, travel_tools
from autoflow.tools.travel.table_file import MAX_LINE
from tests.suites.travel import write_database

CONTEXT = ToolContext(Task(id="tk_000000000000", objective=""), lambda _: b"")
NAMES = (
    "flight_search", "distance_matrix", "restaurant_search", "attraction_search", "accommodation_search", "city_search",
)  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_database(tmp_path / "database")


@pytest.fixture
def box(root: Path) -> Toolbox:
    return Toolbox(travel_tools(open_database(str(root))))


async def call(box: Toolbox, name: str, **arguments: object) -> str:
    return (await box.call(name, json.dumps(arguments), CONTEXT, 20)).text


class TestSearching:
    def test_each_tool_tells_a_model_what_it_does_and_takes(self, box: Toolbox) -> None:
        assert tuple(spec.name for spec in box.specs) == NAMES
        assert {tool.source for tool in box.tools} == {SOURCE}
        for spec in box.specs:
            assert spec.description
            assert all(described["description"] for described in spec.parameters["properties"].values())

    async def test_flights_are_those_of_the_day_in_the_order_of_the_file(self, box: Toolbox) -> None:
        told = await call(box, "flight_search", origin="orran", destination="Elmford(Westmark)", date="2022-03-16")
        assert told.splitlines() == [
            "1 to 2 of 2 flights from Orran to Elmford on 2022-03-16:",
            "| Flight Number | Price | Departure Time | Arrival Time | Duration | Miles",
            "| F0000001 | 100 | 08:00 | 09:30 | 1 hours 30 minutes | 300.0",
            "| F0000002 | 250 | 17:00 | 18:30 | 1 hours 30 minutes | 300.0",
        ]
        none = await call(box, "flight_search", origin="Orran", destination="Elmford", date="2022-03-17")
        assert none == "There are no flights from Orran to Elmford on 2022-03-17."

    @pytest.mark.parametrize(
        ("origin", "destination", "mode", "told"),
        [
            ("Elmford", "Orran", "self-driving", "duration: 5 hours 2 mins, distance: 480.9 km, cost: 24"),
            ("Elmford", "Orran", "taxi", "duration: 5 hours 2 mins, distance: 480.9 km, cost: 480"),
            ("Brackwater", "Orran", "taxi", "cost: 1144"),
            ("Orran", "Tolling", "taxi", "There is no taxi from Orran to Tolling."),  # a day and more
            ("Tolling", "Orran", "taxi", "There is no taxi"),  # known to have no road
            ("Brackwater", "Elmford", "self-driving", "There is no self-driving"),  # not known
        ],
    )
    async def test_roads(self, origin: str, destination: str, mode: str, told: str, box: Toolbox) -> None:
        assert told in await call(box, "distance_matrix", origin=origin, destination=destination, mode=mode)

    async def test_places_of_a_city(self, box: Toolbox) -> None:
        food = await call(box, "restaurant_search", city="Brackwater")
        assert food.startswith("1 to 4 of 4 restaurants in Brackwater:")
        assert "| River Room | 40 | Seafood | 4.4" in food
        assert "| Tidal Mill | 3 Lane, Brackwater | Unknown | Unknown" in await call(
            box, "attraction_search", city="Brackwater"
        )
        assert "| Ferry Rooms | 60 | Private room | No pets | 2 | 1 | 4.0" in await call(
            box, "accommodation_search", city="Brackwater"
        )
        assert await call(box, "attraction_search", city="Tolling") == "There are no attractions in Tolling."
        assert (await call(box, "city_search", state="westmark")).splitlines()[2:] == [
            "| Elmford", "| Brackwater", "| Tolling",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "arguments", "words"),
        [
            (
                "restaurant_search",
                {"city": "Elmfort"},
                "There is no city `Elmfort` in the database. Did you mean `Elmford`?",
            ),
            ("city_search", {"state": "Westmarch"}, "no state `Westmarch`.*`Westmark`"),
            (
                "flight_search",
                {"origin": "Orran", "destination": "X" * 999, "date": "2022-03-16"},
                "no city `X{200} ...`",
            ),
            (
                "flight_search",
                {"origin": "Orran", "destination": "Elmford", "date": "March 16th"},
                "`March 16th` is no date",
            ),
            (
                "flight_search",
                {"origin": "Orran", "destination": "Elmford", "date": "20220316"},
                "is no date.*2022-03-16",
            ),
            ("flight_search", {"origin": "Orran", "destination": "Elmford", "date": "2022-02-30"}, "is no date"),
            ("restaurant_search", {"city": "Elmford", "page": 2}, "`page` is 2, but the restaurants in Elmford have 1"),
            ("restaurant_search", {"city": "Elmford", "page": -1}, "`page` is -1"),
            ("distance_matrix", {"origin": "Orran", "destination": "Elmford", "mode": "train"}, "`mode`"),
            ("attraction_search", {"city": "\ud800"}, "There is no city"),
        ],
    )
    async def test_what_a_model_gets_wrong_is_told_to_it(
        self, name: str, arguments: dict[str, Any], words: str, box: Toolbox
    ) -> None:
        with pytest.raises(ToolArgumentError) as caught:
            await call(box, name, **arguments)
        assert re.search(words, str(caught.value))

    async def test_a_suites_tools_are_opened_beside_those_that_are_named(self, root: Path) -> None:
        tools = travel_tools(open_database(str(root)))
        async with open_toolbox([*tools, "calculator", "city_search"]) as box:
            assert tuple(spec.name for spec in box.specs) == (*NAMES, "calculator")

    async def test_a_damaged_file_is_told_when_it_is_searched(self, box: Toolbox, root: Path) -> None:
        (root / TABLES["restaurants"][0]).write_text("Name,City,Average Cost,Cuisines,Aggregate Rating\nA,B,free,C,1\n")
        with pytest.raises(ToolFailed, match=r"Line 2 of .*clean_restaurant_2022.csv has `free` as `Average Cost`"):
            await call(box, "restaurant_search", city="Elmford")


class TestPages:
    @given(st.lists(st.text(max_size=300), min_size=1, max_size=120))
    def test_pages_hold_every_row_once_and_fit_what_a_model_is_told(self, names: list[str]) -> None:
        rows = [(name, n) for n, name in enumerate(names)]
        count = len(paged(["x" * 210] * len(names)))  # no fewer than there are
        seen: list[str] = []
        for page in range(1, count + 1):
            try:
                told = listed("things", ("Name", "Number"), rows, page)
            except ToolArgumentError:
                break
            assert len(told) < RESULT_CHARACTERS
            seen += [line.rpartition(" ")[2] for line in told.splitlines()[2:]]
        assert seen == [str(n) for n in range(len(names))]

    def test_a_long_list_says_how_to_go_on(self) -> None:
        rows = [("x" * 150,)] * 100
        assert listed("things", ("Name",), rows, 1).startswith("1 to 42 of 100 things; for more ask for page 2:")
        assert listed("things", ("Name",), rows, 3).startswith("85 to 100 of 100 things:")


def _text(text: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(text, "utf-8") and None


def _bytes(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data) and None


def _swapped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


FLIGHT_HEAD = ",".join(TABLES["flights"][1])
ROAD_HEAD = "origin,destination,cost,duration,distance\n"
PLACE_HEAD = ",".join(TABLES["accommodations"][1]) + "\n"


class TestDamagedFiles:
    @pytest.mark.parametrize("name", [*TABLES, "cities"])
    def test_a_missing_file_is_told_when_the_database_is_opened(self, name: str, root: Path) -> None:
        path = root / (CITIES if name == "cities" else TABLES[name][0])
        path.unlink()
        with pytest.raises(SettingsError, match=re.escape(f"There is no file {path}.")):
            open_database(str(root))

    @pytest.mark.parametrize("name", TABLES)
    def test_a_missing_column_is_told_when_the_database_is_opened(self, name: str, root: Path) -> None:
        file, columns, _ = TABLES[name]
        (root / file).write_text(",".join(columns[1:]) + "\n")
        with pytest.raises(SettingsError, match=f"lacks the column `{columns[0]}`"):
            open_database(str(root))

    @pytest.mark.parametrize("folder", ["/no/such/folder", "", "\x00"])
    def test_a_missing_folder_is_told(self, folder: str) -> None:
        with pytest.raises(SettingsError):
            open_database(folder)

    @pytest.mark.parametrize(
        ("name", "damage", "words"),
        [
            ("flights", _text(FLIGHT_HEAD + "\nF1,cheap,a,b,c,d,e,f,g\n"), "Line 2 .* has a `Price` that is no number"),
            ("flights", _text(FLIGHT_HEAD + "\nF1,1,a,b,c,d,e,f,g\nF2,-1,a,b,c,d,e,f,g\n"), "Line 3 of .*`Price`"),
            ("flights", _text(FLIGHT_HEAD + "\nF1,1,a\n"), "Line 2 of .* has 3 cells, but a wanted column is number 9"),
            ("flights", _bytes(FLIGHT_HEAD.encode() + b"\nF\xff,1,a,b,c,d,e,f,g\n"), "Line 2 .*no text in UTF-8"),
            ("roads", _text(ROAD_HEAD + "A,B,,1 hour,far\n"), "Line 2 of .* has `far` as `distance`"),
            ("roads", _text(ROAD_HEAD + "A,B,,1 hour,__import__('os')\n"), "as `distance`"),
            ("accommodations", _text(PLACE_HEAD + "A,B,1,C,D,2,0,5\n"), "`0` as `maximum occupancy`.*of 1 or more"),
            ("accommodations", _text(PLACE_HEAD + "A,B,nan,C,D,2,1,5\n"), "`nan` as `price`"),
            ("accommodations", _text(PLACE_HEAD + "A,B,1e400,C,D,2,1,5\n"), "`1e400` as `price`"),
            ("restaurants", _text('Name,City,Average Cost,Cuisines,Aggregate Rating\n"A' + "\n" * 500), "never closed"),
            ("restaurants", _text("x" * (MAX_LINE + 1)), f"Line 1 .* longer than {MAX_LINE:,} bytes"),
            ("restaurants", _text(""), "lacks the columns"),
            ("restaurants", _bytes(b"PK\x03\x04\xff\xff"), "no text in UTF-8"),
            ("attractions", _swapped, "There is no file"),
        ],
    )  # fmt: skip
    def test_what_is_damaged_is_told_by_file_and_line(
        self, name: str, damage: Callable[[Path], None], words: str, root: Path
    ) -> None:
        damage(root / TABLES[name][0])
        with pytest.raises(SettingsError) as caught:
            getattr(open_database(str(root)), name)()
        assert re.search(words, str(caught.value))

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"Elmford\n", "Line 1 of .* is no city, a tab"),
            (b"A\tB\n\xff\n", "no text in UTF-8"),
            (b"x" * 300_000, "no city"),
        ],
    )
    def test_cities_likewise(self, data: bytes, words: str, root: Path) -> None:
        (root / CITIES).write_bytes(data)
        with pytest.raises(SettingsError, match=words):
            open_database(str(root))

    def test_a_file_that_is_too_large_is_not_read(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file, columns, _ = TABLES["attractions"]
        monkeypatch.setitem(TABLES, "attractions", (file, columns, 10))
        with pytest.raises(SettingsError, match="the most that is read"):
            open_database(str(root))

    def test_rows_with_an_empty_cell_are_left_out(self, root: Path) -> None:
        path = root / TABLES["accommodations"][0]
        path.write_text(PLACE_HEAD + "A,Elmford,1,C,,2,1,5\n\nB,Elmford,1,C,No pets,2,1,5\n")
        assert [place.name for place in open_database(str(root)).accommodations().of("Elmford")] == ["B"]

    @given(st.binary(max_size=400))
    def test_whatever_bytes_a_file_holds_it_is_read_or_told(
        self, tmp_path_factory: pytest.TempPathFactory, data: bytes
    ) -> None:
        root = write_database(tmp_path_factory.mktemp("bytes") / "database")
        for name in ("flights", "restaurants"):
            path = root / TABLES[name][0]
            whole = path.read_bytes()
            path.write_bytes(",".join(TABLES[name][1]).encode() + b"\n" + data)
            told = ""
            try:
                getattr(open_database(str(root)), name)()
            except AutoFlowError as error:
                told = str(error)
            assert not told or str(path) in told
            path.write_bytes(whole)


def test_a_database_is_opened_once_until_a_file_changes(root: Path) -> None:
    first = open_database(str(root))
    assert open_database(str(root)) is first
    path = root / TABLES["attractions"][0]
    path.write_text(path.read_text() + "Sun Dial,1,2,a,b,c,Tolling\n")
    second = open_database(str(root))
    assert second is not first
    assert [place.name for place in second.attractions().of("Tolling")] == ["Sun Dial"]


def test_threads_that_ask_at_once_read_a_file_once(root: Path) -> None:
    database = TravelDatabase(root)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(database.flights())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(each) for each in found}) == 1
