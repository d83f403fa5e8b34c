"""Which expert is there for each tool, and what the offline ones do."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

from autoflow.errors import ToolFailed
from autoflow.llm.scripted import ScriptedLLM
from autoflow.settings import settings
from autoflow.tools.openagi import efficientnet, shapes
from autoflow.tools.openagi import experts as experts_module
from autoflow.tools.openagi.experts import OpenAGIExperts
from autoflow.tools.openagi.plain import Plain
from autoflow.tools.openagi.shelf import Shelf
from autoflow.tools.openagi.table import TOOLS
from autoflow.tools.openagi.texts import summary
from tests.models import offline_files, offline_parts  # noqa: F401

OFFLINE = {
    "Image Classification", "Image Super Resolution", "Image Deblurring", "Image Denoising", "Sentiment Analysis",
    "Text Summarization", "Question Answering", "Text Generation", "Fill Mask", "Visual Question Answering",
}  # fmt: skip
LLM = ScriptedLLM([{"match": r"\[MASK\]", "reply": " A whole text. "}, {"match": "", "reply": "said"}])


@pytest.mark.model
@pytest.mark.usefixtures("offline_parts")
def test_offline_says_of_every_tool_what_does_it_or_what_to_get() -> None:
    experts = OpenAGIExperts("offline", llm=LLM)
    found = {tool.name: experts.available(tool.name) for tool in TOOLS}
    assert {name for name, there in found.items() if there.provider} == OFFLINE
    for name, there in found.items():
        assert there.part if there.provider else name in there.why
    assert OpenAGIExperts("offline").available("Fill Mask").why.endswith("Choose a model.")


def test_a_tool_whose_weights_are_missing_is_not_there_and_says_how_to_get_them(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOFLOW_MODELS_DIR", str(tmp_path))
    monkeypatch.setattr(shapes, "FILE", tmp_path / "shapes.safetensors")
    settings.cache_clear()
    experts = OpenAGIExperts("offline", llm=LLM)
    for tool, cure in (("Image Classification", efficientnet.CURE), ("Visual Question Answering", shapes.CURE)):
        found = experts.available(tool)
        assert (found.provider, bool(found.part)) == (None, True)
        assert found.why.endswith(cure)
        with pytest.raises(ToolFailed, match=tool):
            experts.find(tool)


def test_drawing_by_the_hub_asks_for_what_is_installed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing, hub = "Text to Image Generation", OpenAGIExperts("hub")
    monkeypatch.setitem(sys.modules, "diffusers", ModuleType("diffusers"))
    monkeypatch.setattr(sys.modules["diffusers"], "__spec__", ModuleSpec("diffusers", None))
    assert hub.available(drawing).provider == "hub"
    monkeypatch.setattr(experts_module, "find_spec", lambda name: None)
    assert hub.available(drawing).provider is None
    assert "requirements-hub.txt" in hub.available(drawing).why


@pytest.mark.model
@pytest.mark.usefixtures("offline_parts")
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
