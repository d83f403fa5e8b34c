"""Which observations a step sees under each strategy."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from autoflow.errors import ModelNotFound
from autoflow.tools import tool
from tests.interpret.fakes import Ran, calls, flow, run

FACTS = {
    "refund": "A refund is paid within 14 days.",
    "stamps": "Stamps cost one euro.",
    "cats": "Cats sleep all day.",
}
THREE = flow(
    "A|process|Find out.|next>B", "B|process|Answer the question about the refund.|next>C", "C|terminal|Say it.",
)  # fmt: skip


@tool
def fact(about: str) -> str:
    """A fact.

    Args:
        about: what about.
    """
    return FACTS[about]


GATHER = calls(*[("fact", f'{{"about": "{about}"}}') for about in FACTS])


async def gathered(*replies: object, **policy: object) -> Ran:
    """A run whose first step calls the tool three times; `replies` are what comes after."""
    return await run(THREE, GATHER, "found", *(replies or ("x",)), tools=[fact], **policy)  # type: ignore[arg-type]


def chosen(ran: Ran, visit: int = 2) -> list[str]:
    return next(e.data["chosen"] for e in ran.of("memory_choice") if e.visit == visit)


async def test_all_shows_all_while_they_fit() -> None:
    ran = await gathered()
    assert chosen(ran) == ["o1", "o2", "o3"]
    assert ran.of("memory_choice")[0].data["strategy"] == "all"


async def test_all_turns_to_what_is_near_over_the_limit_and_says_by_what_name() -> None:
    ran = await gathered(memory_tokens=20)
    assert chosen(ran) == ["o1"]
    choice = ran.of("memory_choice")[0].data
    assert (choice["strategy"], choice["considered"], choice["calls"]) == ("lexical", 3, 0)


@pytest.mark.parametrize("strategy", ["all", "embedding", "direct", "traverse"])
@pytest.mark.parametrize("tokens", [0, 1, 10, 20])
async def test_limit_of_tokens_holds_for_every_strategy(strategy: str, tokens: int) -> None:
    ran = await gathered("yes", memory=strategy, memory_tokens=tokens)
    for event in ran.of("prompt"):
        shown = [part["text"] for part in event.data["parts"] if part["source"] == "observations"]
        assert all(len(text) <= tokens * 4 + 30 for text in shown)  # 30: heading, and the mark of what was cut
        assert tokens or not shown


async def test_none_shows_nothing() -> None:
    ran = await gathered(memory="none")
    assert chosen(ran) == []
    assert "A refund is paid" not in ran.llm.prompt(2)


async def test_direct_takes_one_call_that_picks_from_the_list() -> None:
    ran = await gathered('{"ids": ["o3"]}', "answer", "I take o1 and o2.", memory="direct")
    assert (chosen(ran), chosen(ran, 3)) == (["o3"], ["o1", "o2"])
    assert [e.data["purpose"] for e in ran.of("reply") if e.visit == 2] == ["memory", "step"]
    assert ran.of("memory_choice")[0].data["calls"] == 1
    assert ran.result.totals.calls == 6
    assert ran.of("step_finished")[1].data["calls"] == 2


async def test_direct_that_names_nothing_shows_nothing() -> None:
    assert chosen(await gathered("I need none.", memory="direct")) == []


async def test_traverse_takes_one_call_an_observation() -> None:
    ran = await gathered("no", "yes", "no", "answer", "no", memory="traverse")
    assert chosen(ran) == ["o2"]  # asked from the newest on
    assert ran.of("memory_choice")[0].data["calls"] == 3


async def test_calls_of_memory_are_held_against_the_limit() -> None:
    ran = await gathered("yes", memory="traverse", max_calls=4)
    assert (ran.result.stop, ran.llm.calls) == ("max-calls", 4)


async def test_embedder_of_the_caller_is_used_and_named() -> None:
    class Backwards:
        name = "backwards"

        async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
            return [1.0 if "cats" in text else 0.0 for text in texts]

    ran = await run(
        THREE, GATHER, "found", "x", tools=[fact], embedder=Backwards(), memory="embedding", memory_tokens=12
    )
    assert chosen(ran) == ["o3"]
    choice = ran.of("memory_choice")[0].data
    assert (choice["strategy"], choice["why"]) == ("embedding", "nearest first by backwards")


async def test_embedder_that_cannot_be_loaded_is_replaced_by_words_with_a_warning() -> None:
    class Missing:
        name = "missing"

        async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
            raise ModelNotFound("The weights are torn.")

    ran = await run(THREE, GATHER, "found", "x", tools=[fact], embedder=Missing(), memory="embedding", memory_tokens=20)
    assert chosen(ran) == ["o1"]
    assert ran.of("memory_choice")[0].data["strategy"] == "lexical"
    assert ran.of("warning")[0].data["message"] == "The weights are torn."


async def test_failed_tool_calls_are_no_observations() -> None:
    ran = await run(THREE, calls(("fact", '{"about": "dogs"}')), "nothing", "x", tools=[fact])
    assert ran.of("memory_choice") == []
