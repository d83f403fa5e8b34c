"""Which expert is there for each tool, and what the offline ones do."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from autoflow.errors import ToolFailed
from autoflow.llm.scripted import ScriptedLLM
from autoflow.tools.openagi.experts import OpenAGIExperts
from autoflow.tools.openagi.plain import Plain
from autoflow.tools.openagi.shelf import Shelf
from autoflow.tools.openagi.table import TOOLS
from autoflow.tools.openagi.texts import summary

OFFLINE = {
    "Image Classification", "Image Super Resolution", "Image Deblurring", "Image Denoising", "Sentiment Analysis",
    "Text Summarization", "Question Answering", "Text Generation", "Fill Mask", "Visual Question Answering",
}  # fmt: skip
LLM = ScriptedLLM([{"match": r"\[MASK\]", "reply": " A whole text. "}, {"match": "", "reply": "said"}])


def test_offline_says_of_every_tool_what_does_it_or_what_to_get() -> None:
    experts = OpenAGIExperts("offline", llm=LLM)
    found = {tool.name: experts.available(tool.name) for tool in TOOLS}
    assert {name for name, there in found.items() if there.provider} == OFFLINE
    for name, there in found.items():
        assert there.part if there.provider else name in there.why
    assert OpenAGIExperts("offline").available("Fill Mask").why.endswith("Choose a model.")


def test_no_part_bears_the_name_of_what_it_stands_in_for() -> None:
    hub, offline = OpenAGIExperts("hub"), OpenAGIExperts("offline", llm=LLM)
    for tool in OFFLINE:
        assert offline.find(tool).part != hub.find(tool).part
        assert (offline.find(tool).provider, hub.find(tool).provider) == ("offline", "hub")


@pytest.mark.parametrize(
    ("text", "label"),
    [("What a wonderful day, I love it!", "POSITIVE"), ("This is terrible, I hate it.", "NEGATIVE")],
)
async def test_sentiment(text: str, label: str) -> None:
    assert await OpenAGIExperts("offline").find("Sentiment Analysis").run([(text,), (text,)]) == [label, label]


def test_a_summary_is_the_most_central_sentences_in_their_order() -> None:
    about = ["The mill grinds wheat by water.", "Water turns the wheel of the mill.", "The wheel of the mill is oak."]
    other = [
        f"{name} likes {thing}."
        for name, thing in zip(["Ann", "Bob", "Cem", "Dan", "Eva", "Fay", "Gus", "Hal"], "abcdefgh", strict=True)
    ]
    text = " ".join([other[0], about[0], *other[1:4], about[1], *other[4:], about[2]])
    chosen = [sentence for sentence in about if sentence in summary(text)]
    assert len(chosen) >= 1, summary(text)
    places = [text.index(part.strip()) for part in summary(text).rstrip(".").split(". ")]
    assert len(places) == 2
    assert places == sorted(places)
    assert summary("One sentence alone.") == "One sentence alone."
    assert summary("") == ""


async def test_what_asks_the_model_asks_with_the_text_and_for_nothing_random() -> None:
    experts = OpenAGIExperts("offline", llm=LLM)
    assert await experts.find("Fill Mask").run([("A [MASK] text.",)]) == ["A whole text."]
    assert (
        await experts.find("Question Answering").run([("A document.", "Who?"), ("Another.", "What?")]) == ["said"] * 2
    )


async def test_what_a_part_raises_is_told_with_the_tools_name() -> None:
    def broken(value: object) -> str:
        raise ZeroDivisionError("by zero")

    with pytest.raises(ToolFailed, match=r"`Image Denoising` \(test\) failed: ZeroDivisionError: by zero"):
        await Plain("Image Denoising", "test", broken).run([("x",)])


class TestShelf:
    def test_each_is_loaded_once_and_used_by_one_at_a_time_however_many_ask(self) -> None:
        shelf, loads, inside, most = Shelf(100), [], [], []

        def load() -> str:
            time.sleep(0.05)
            loads.append(threading.get_ident())
            return "model"

        def work(_: int) -> str:
            with shelf.use("a", load, 10) as model:
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.002)
                inside.pop()
                return model

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(work, range(16))) == {"model"}
        assert (len(loads), max(most)) == (1, 1)

    def test_the_one_unused_for_longest_makes_room(self) -> None:
        shelf = Shelf(100)
        for name in ("a", "b", "a", "c"):
            with shelf.use(name, object, 40):
                pass
        assert shelf.names() == ["a", "c"]
        with shelf.use("huge", object, 1_000):
            assert shelf.names() == ["huge"]

    def test_what_failed_to_load_or_to_work_is_tried_anew(self) -> None:
        shelf = Shelf(100)
        with pytest.raises(ToolFailed), shelf.use("a", lambda: (_ for _ in ()).throw(ToolFailed("no disk")), 1):
            pass
        with pytest.raises(ZeroDivisionError), shelf.use("a", lambda: 7, 1):
            raise ZeroDivisionError
        with shelf.use("a", lambda: 8, 1) as model:
            assert model == 7
