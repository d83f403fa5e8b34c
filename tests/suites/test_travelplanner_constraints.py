"""Every constraint of TravelPlanner: plans that keep all, and changes of one thing that break one constraint alone."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoflow.suites.travelplanner_plan import SLOTS, read_plan
from autoflow.suites.travelplanner_queries import Query
from autoflow.suites.travelplanner_score import PARTS, judge, score_answer
from autoflow.tools.travel.database import TravelDatabase
from tests.suites.travel import LONG, LONG_PLAN, OUT, SHORT, SHORT_PLAN, Plan, changed, opened, query, trip

HARD = ("budget", "room rule", "room type", "cuisine", "transportation")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> TravelDatabase:
    return opened(tmp_path_factory.mktemp("travel") / "database")


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Query:
    return query(tmp_path_factory.mktemp("short"), SHORT)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Query:
    return query(tmp_path_factory.mktemp("long"), LONG)


def broken(asked: Query, plan: Plan, database: TravelDatabase) -> set[str]:
    """What a plan breaks; hard constraints that were not looked at are not among it."""
    found = judge(trip(asked, plan, database)).broken
    return {name for name, wrong in found.items() if not wrong.startswith("not looked at")}


def test_plans_that_keep_everything_pass_finally(short: Query, long: Query, database: TravelDatabase) -> None:
    for asked, plan in ((short, SHORT_PLAN), (long, LONG_PLAN)):
        found = score_answer(asked, json.dumps(plan), database)
        assert (found.value, found.parts) == (1.0, dict.fromkeys(PARTS, 1.0))
        assert "all kept" in found.expected


def test_whoever_wants_no_shared_room_may_have_any_other(short: Query, database: TravelDatabase) -> None:
    hotel = {"day1_accommodation": "Corner House, Elmford", "day2_accommodation": "Corner House, Elmford"}
    assert broken(short, changed(SHORT_PLAN, **hotel), database) == set()
    private = replace(short, room_type="private room")
    assert broken(private, changed(SHORT_PLAN, **hotel), database) == {"room type"}


@pytest.mark.parametrize(
    ("name", "edits"),
    [
        ("within sandbox", {"day2_dinner": "Nowhere Inn, Elmford"}),
        ("within sandbox", {"day2_dinner": "Lantern, Elmford"}),  # part of a name
        ("within sandbox", {"day2_attraction": "Hanging Garden, Elmford; Weir Tower, Elmford"}),
        ("within sandbox", {"day1_accommodation": "Attic, Elmford", "day2_accommodation": "Attic, Elmford"}),
        ("within sandbox", {"day1_transportation": "Flight Number: F0000009, from Orran to Elmford"}),
        ("within sandbox", {"day1_transportation": "Flight Number: F0000003, from Orran to Elmford"}),
        ("within sandbox", {"day1_transportation": "Flight, from Orran to Elmford"}),
        ("within sandbox", {"day1_transportation": "Train, from Orran to Elmford"}),
        ("within sandbox", {"day2_transportation": "Taxi"}),
        ("complete information", {"day2_lunch": "-"}),
        ("complete information", {"day2_attraction": ""}),
        ("complete information", {"day1_accommodation": "-", "day2_accommodation": "-"}),
        ("complete information", {"day3_transportation": "-"}),
        ("complete information", {"day3_lunch": None}),
        ("within current city", {"day2_dinner": "River Room, Brackwater"}),
        ("within current city", {"day2_attraction": "Tidal Mill, Brackwater"}),
        ("within current city", {"day1_transportation": "Flight Number: F0000001"}),
        ("within current city", {"day2_transportation": OUT}),
        ("reasonable city route", {
            "day3_current_city": "Elmford", "day3_transportation": "-", "day3_attraction": "Clock Museum, Elmford",
            "day1_attraction": "-", "day3_lunch": "The Copper Ladle, Elmford", "day1_lunch": "-",
            "day3_dinner": "Moss, Vine & Co, Elmford", "day1_dinner": "-",
        }),
        ("diverse restaurants", {"day2_dinner": "The Copper  Ladle, elmford"}),
        ("diverse attractions", {"day2_attraction": "Clock Museum, Elmford"}),
        ("minimum nights stay", {"day2_accommodation": "Harbour Loft, Elmford"}),
        ("budget", {"day1_accommodation": "Grand Elm, Elmford", "day2_accommodation": "Grand Elm, Elmford"}),
        ("room rule", {"day1_accommodation": "Clean Air House, Elmford",
                       "day2_accommodation": "Clean Air House, Elmford"}),
        ("room type", {"day1_accommodation": "Bunk Hall, Elmford", "day2_accommodation": "Bunk Hall, Elmford"}),
        ("cuisine", {"day1_lunch": "-"}),  # the only Mexican one outside of the origin
        ("cuisine", {"day1_lunch": "Station Cafe, Orran"}),
        ("transportation", {"day1_transportation": "Self-driving, from Orran to Elmford",
                            "day3_transportation": "Self-driving, from Elmford to Orran"}),
    ],
)  # fmt: skip
def test_one_change_breaks_one_constraint(
    name: str, edits: dict[str, Any], short: Query, database: TravelDatabase
) -> None:
    assert broken(short, changed(SHORT_PLAN, **edits), database) == {name}


@pytest.mark.parametrize(
    ("name", "edits"),
    [
        ("within sandbox", {"day3_transportation": "Self-driving, from Brackwater to Elmford"}),  # no such road
        ("within current city", {"day1_accommodation": "Ferry Rooms, Brackwater",
                                 "day2_accommodation": "Ferry Rooms, Brackwater"}),
        ("within current city", {"day3_accommodation": "Harbour Loft, Elmford",
                                 "day4_accommodation": "Harbour Loft, Elmford"}),
        ("consistent transportation", {"day3_transportation": "Taxi, from Elmford to Brackwater"}),
        ("reasonable city route", {"day4_current_city": "from Elmford to Brackwater",
                                   "day4_transportation": "Self-driving, from Elmford to Brackwater"}),
    ],
)  # fmt: skip
def test_so_it_does_on_a_trip_through_a_state(
    name: str, edits: dict[str, Any], long: Query, database: TravelDatabase
) -> None:
    found = broken(long, changed(LONG_PLAN, **edits), database)
    assert name in found
    assert found - {name} <= {"within current city"}  # a drive the wrong way is neither known nor of that day


@pytest.mark.parametrize(
    ("cities", "words"),
    [
        (["from Orran to Elmford", "Elmford", "from Elmford to Orran"], None),
        (["from orran to Elmford(Westmark)", "Elmford", "from Elmford to Orran"], None),
        (["Orran", "from Orran to Elmford", "from Elmford to Orran"], None),
        (["from Tolling to Elmford", "Elmford", "from Elmford to Orran"], "day 1 begins in Tolling"),
        (["from Orran to Elmford", "Elmford", "from Brackwater to Orran"], "day 3 begins in Brackwater"),
        (["from Orran to Elmford", "from Elmford to Tolling", "from Tolling to Orran"], "Tolling does not belong"),
        (["from Orran to Elmford", "from Elmford to Orran", "from Orran to Elmford"], "does not come back"),
        (["Orran", "Orran", "Orran"], "does not come back"),
        (["from Orran to Nowhere", "Nowhere", "from Nowhere to Orran"], "Nowhere does not belong"),
    ],
)
def test_routes(cities: list[str], words: str | None, short: Query, database: TravelDatabase) -> None:
    plan = changed(SHORT_PLAN, **{f"day{n}_current_city": city for n, city in enumerate(cities, 1)})
    wrong = judge(trip(short, plan, database)).commonsense["reasonable city route"]
    assert (wrong is None) if words is None else (wrong is not None and words in wrong)


def test_a_city_is_visited_in_one_stretch(long: Query, database: TravelDatabase) -> None:
    legs = ("Orran", "Elmford", "Brackwater", "Elmford", "Tolling", "Orran")
    cities = {f"day{n}_current_city": f"from {a} to {b}" for n, (a, b) in enumerate(itertools.pairwise(legs), 1)}
    wrong = judge(trip(long, changed(LONG_PLAN, **cities), database)).commonsense["reasonable city route"]
    assert wrong == "the trip comes to Elmford twice"


@pytest.mark.parametrize(("count", "words"), [(2, "has 2 days, not 3"), (4, "has 4 days, not 3")])
def test_a_plan_has_as_many_days_as_the_trip(count: int, words: str, short: Query, database: TravelDatabase) -> None:
    plan = [*SHORT_PLAN, SHORT_PLAN[1]][:count]
    assert words in str(judge(trip(short, plan, database)).commonsense["complete information"])


def test_the_first_day_says_how_one_travels(short: Query, database: TravelDatabase) -> None:
    plan = changed(SHORT_PLAN, day1_transportation="-")
    assert broken(short, plan, database) == {"complete information", "consistent transportation"}


class TestCosts:
    def test_flights_and_meals_cost_each_person_and_a_room_takes_as_many_as_it_says(
        self, short: Query, database: TravelDatabase
    ) -> None:
        fares, meals, rooms = (100 + 120) * 2, (20 + 30 + 12 + 10 + 15 + 25) * 2, 80 * 2
        assert trip(short, SHORT_PLAN, database).cost() == fares + meals + rooms

    def test_six_people_need_two_cars_and_as_many_rooms_as_they_fill(
        self, long: Query, database: TravelDatabase
    ) -> None:
        cars = (24 + 4 + 57) * 2  # 480, 98.6 and 1,144 km at 0.05 a km, cut
        meals = (12 + 20 + 10 + 25 + 15 + 40 + 22 + 35 + 18) * 6
        rooms = 2 * 80 * 3 + 2 * 60 * 6
        assert trip(long, LONG_PLAN, database).cost() == cars + meals + rooms

    def test_a_taxi_takes_four(self, long: Query, database: TravelDatabase) -> None:
        taxi = changed(LONG_PLAN, day3_transportation="Taxi, from Elmford to Brackwater")
        difference = trip(long, taxi, database).cost() - trip(long, LONG_PLAN, database).cost()
        assert difference == 98 * 2 - 4 * 2

    def test_the_budget_may_be_used_up(self, tmp_path: Path, database: TravelDatabase) -> None:
        cost = trip(query(tmp_path, SHORT), SHORT_PLAN, database).cost()
        for given_, fits in ((cost, True), (cost - 1, False)):
            asked = query(tmp_path, {**SHORT, "budget": given_})
            assert (judge(trip(asked, SHORT_PLAN, database)).hard["budget"] is None) == fits


class TestScores:
    def test_hard_constraints_need_information_that_is_there(self, short: Query, database: TravelDatabase) -> None:
        found = score_answer(short, json.dumps(changed(SHORT_PLAN, day2_dinner="Nowhere Inn, Elmford")), database)
        assert found.value == pytest.approx(7 / 13)
        assert found.parts == {
            "delivered": 1.0, "commonsense micro": 7 / 8, "commonsense macro": 0.0, "hard micro": 0.0,
            "hard macro": 0.0, "final": 0.0,
        }  # fmt: skip
        assert "day 2: the dinner `Nowhere Inn, Elmford` is not in the database" in found.expected

    def test_only_what_a_query_asks_for_counts(self, long: Query, database: TravelDatabase) -> None:
        plan = changed(LONG_PLAN, day3_transportation="Taxi, from Elmford to Brackwater")
        assert score_answer(long, json.dumps(plan), database).value == pytest.approx(8 / 9)
        assert set(judge(trip(long, plan, database)).hard) == {"budget"}

    def test_one_broken_wish_costs_the_hard_macro_rate_alone(self, short: Query, database: TravelDatabase) -> None:
        found = score_answer(short, json.dumps(changed(SHORT_PLAN, day1_lunch="-")), database)
        assert found.parts["hard micro"] == pytest.approx(4 / 5)
        assert (found.parts["commonsense macro"], found.parts["hard macro"], found.parts["final"]) == (1.0, 0.0, 0.0)
        assert found.value == pytest.approx(12 / 13)

    def test_a_plan_of_nothing_scores_nothing(self, short: Query, database: TravelDatabase) -> None:
        nothing = [{"current_city": day["current_city"], **dict.fromkeys(SLOTS, "-")} for day in SHORT_PLAN]
        found = score_answer(short, json.dumps(nothing), database)
        assert (found.value, found.parts["delivered"]) == (0.0, 1.0)

    def test_more_of_a_plan_scores_more(self, short: Query, database: TravelDatabase) -> None:
        less = changed(SHORT_PLAN, day2_lunch="-", day2_dinner="-")
        more = changed(SHORT_PLAN, day2_lunch="-")
        one, other = (score_answer(short, json.dumps(plan), database).value for plan in (less, more))
        assert 0 < one < other < 1

    @pytest.mark.parametrize(
        "answer", ["", "I cannot plan this.", "[]", "[{}]", "{}", "[1, 2]", '[{"day": 1}]', "[" * 9000]
    )
    def test_what_holds_no_plan_is_not_delivered(self, answer: str, short: Query, database: TravelDatabase) -> None:
        found = score_answer(short, answer, database)
        assert (found.value, found.parts) == (0.0, dict.fromkeys(PARTS, 0.0))


class TestReading:
    @pytest.mark.parametrize(
        "answer",
        [
            "Here it is [as asked, 3 days]:\n{0}\nHave a good trip!", "```json\n{0}\n```", '{{"idx": 1, "plan": {0}}}',
            "<think>[1]</think>{0}", "Costs [1, 2]. {0}",
        ],
    )  # fmt: skip
    def test_a_plan_is_found_in_other_text(self, answer: str) -> None:
        days = read_plan(answer.format(json.dumps(SHORT_PLAN)))
        assert days == read_plan(json.dumps(SHORT_PLAN))
        assert days is not None
        assert len(days) == 3

    def test_empty_objects_at_the_end_are_no_days(self) -> None:
        days = read_plan(json.dumps([*SHORT_PLAN, {}, {}]))
        assert days is not None
        assert len(days) == 3

    def test_attractions_may_be_a_list(self, short: Query, database: TravelDatabase) -> None:
        plan = changed(SHORT_PLAN, day2_attraction=["Hanging Garden, Elmford", "Weir Bridge, Elmford"])
        assert broken(short, plan, database) == set()

    @pytest.mark.parametrize("value", [7, {"name": "x"}, [1], True])
    def test_a_slot_that_is_no_text_is_missing(self, value: object, short: Query, database: TravelDatabase) -> None:
        assert broken(short, changed(SHORT_PLAN, day2_lunch=value), database) == {"complete information"}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
PIECE = st.sampled_from(
    ["from ", "Orran", " to ", "Elmford", ", ", ";", "(", ")", "-", "Taxi", "Self-driving", "Flight Number: F0000001",
     "Quiet Attic", "Moss, Vine & Co", "\ud800", "\x00", "\n"]
)  # fmt: skip
TEXT = st.lists(PIECE, max_size=8).map("".join) | st.text(max_size=30)
DAYS = st.lists(
    st.fixed_dictionaries({"current_city": TEXT}, optional=dict.fromkeys(SLOTS, TEXT | JSON)), max_size=6
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON.map(json.dumps) | DAYS.map(json.dumps) | st.text())
def test_whatever_a_model_answers_is_scored(short: Query, long: Query, database: TravelDatabase, answer: str) -> None:
    for asked in (short, long):
        found = score_answer(asked, answer, database)
        assert 0 <= found.value <= 1
        assert set(found.parts) == set(PARTS)
        assert all(0 <= part <= 1 for part in found.parts.values())
        assert (found.value == 1) == (found.parts["final"] == 1)
        found.expected.encode()


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_plan_in_which_anything_is_changed_is_scored(
    short: Query, database: TravelDatabase, data: st.DataObject
) -> None:
    edits = data.draw(
        st.dictionaries(
            st.sampled_from([f"day{n}_{slot}" for n in (1, 2, 3) for slot in (*SLOTS, "current_city")]),
            TEXT,
            max_size=4,
        )
    )
    found = score_answer(short, json.dumps(changed(SHORT_PLAN, **edits)), database)
    assert 0 <= found.value <= 1
    assert (found.value == 1) == (found.parts["final"] == 1)
