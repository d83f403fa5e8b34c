"""Plans as typed dataflow: what each tool gets, where a plan ends, what is kept."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from autoflow.errors import (
    GONE,
    AutoFlowError,
    BudgetExceeded,
    ModelNotFound,
    ModelReplyError,
    ToolFailed,
    ToolNotLoaded,
)
from autoflow.tools.openagi.base import Expert
from autoflow.tools.openagi.dataflow import execute
from autoflow.tools.openagi.images import Picture
from autoflow.tools.openagi.table import BY_NAME, TOOLS
from autoflow.tools.openagi.values import Sample, Value, type_of


def picture(shade: int) -> Picture:
    return Image.new("RGB", (256, 256), (shade, shade, shade))


def shade_of(image: Value) -> int:
    assert isinstance(image, Image.Image)
    return int(image.getpixel((0, 0))[0])  # type: ignore[index]


class Told:
    """Does to a value what can be read from it afterwards: texts get the tool's initials, pictures one shade more."""

    provider, part = "offline", "test"

    def __init__(self, tool: str) -> None:
        self.tool = tool

    async def run(self, batch: Sequence[tuple[Value, ...]]) -> list[Value]:
        initials = "".join(word[0] for word in self.tool.split())
        if BY_NAME[self.tool].gives == "image":
            return [picture(0 if isinstance(values[0], str) else shade_of(values[0]) + 1) for values in batch]
        return [f"{initials}({', '.join(v if isinstance(v, str) else str(shade_of(v)) for v in vs)})" for vs in batch]


class Shelf:
    def __init__(self, *missing: str, **special: Expert) -> None:
        self._missing, self._special = missing, special

    def find(self, tool: str) -> Expert:
        if tool in self._missing:
            raise ToolFailed(f"`{tool}` is not here.", "Get it.")
        return self._special.get(tool.replace(" ", "_"), Told(tool))  # type: ignore[return-value]


ASKED = Sample((picture(10),), ("What [MASK] is it?",))
READ = Sample((), ("A [MASK] story.", "Who [MASK] it?"))


async def made(plan: Sequence[str], sample: Sample) -> Value:
    done = await execute(plan, [sample], Shelf())
    assert not done.error
    return done.outputs[0]


async def test_restorations_change_the_picture_that_questions_are_asked_about() -> None:
    plan = ["Image Denoising", "Colorization", "Fill Mask", "Visual Question Answering", "Machine Translation"]
    assert await made(plan, ASKED) == "MT(VQA(12, FM(What [MASK] is it?)))"


async def test_a_document_comes_before_the_question_about_it_and_masks_are_filled_in_turn() -> None:
    class Filler(Told):
        async def run(self, batch: Sequence[tuple[Value, ...]]) -> list[Value]:
            return [str(text).replace("[MASK]", "good") for (text,) in batch]

    shelf = Shelf(Fill_Mask=Filler("Fill Mask"))
    done = await execute(["Fill Mask", "Fill Mask", "Question Answering"], [READ], shelf)
    assert done.outputs == ("QA(A good story., Who good it?)",)


async def test_the_output_is_what_was_made_last_and_without_a_tool_what_is_given() -> None:
    assert await made([], ASKED) is ASKED.images[0]
    assert await made([], READ) == "A [MASK] story."
    assert shade_of(await made(["Image Deblurring"], ASKED)) == 11


async def test_a_plan_that_fails_at_its_third_tool_keeps_what_two_made() -> None:
    plan = ["Image Denoising", "Image Deblurring", "Colorization", "Image Captioning"]
    done = await execute(plan, [ASKED, ASKED], Shelf("Colorization"))
    assert [run.tool for run in done.runs] == ["Image Denoising", "Image Deblurring"]
    assert [shade_of(value) for value in done.outputs] == [12, 12]
    assert (done.failed, done.error) == ("Colorization", "`Colorization` is not here. Get it.")


async def test_types_that_do_not_chain_end_the_plan_in_words() -> None:
    done = await execute(["Image Captioning", "Image Denoising"], [Sample((picture(1),))], Shelf())
    assert done.outputs == ("IC(1)",)
    assert done.error == "`Image Denoising` takes an image, and there is no image for it any more."
    done = await execute(["Question Answering"], [Sample((), ("A story.",))], Shelf())
    assert "takes a text and a text" in done.error


@pytest.mark.parametrize("error", [ToolFailed("out of memory"), ModelReplyError("The answer is empty.")])
async def test_a_tool_that_raises_ends_the_plan(error: Exception) -> None:
    class Broken(Told):
        async def run(self, batch: Sequence[tuple[Value, ...]]) -> list[Value]:
            raise error

    done = await execute(["Image Captioning"], [ASKED], Shelf(Image_Captioning=Broken("Image Captioning")))
    assert (done.failed, done.error, done.runs) == ("Image Captioning", str(error), ())


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        *((kind("The server is gone.", "Start it."), kind) for kind in GONE),
        (BudgetExceeded("max-calls", "The server is gone.", "Start it."), BudgetExceeded),
        (ToolNotLoaded("The server is gone.", "Start it."), ModelNotFound),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_a_model_that_is_gone_says_nothing_about_the_plan(
    error: AutoFlowError, raised: type[AutoFlowError]
) -> None:
    class Broken(Told):
        async def run(self, batch: Sequence[tuple[Value, ...]]) -> list[Value]:
            raise error

    with pytest.raises(raised, match=r"The server is gone\. Start it\."):
        await execute(["Image Captioning"], [ASKED], Shelf(Image_Captioning=Broken("Image Captioning")))


async def test_a_tool_that_gives_too_few_outputs_is_not_trusted() -> None:
    class Lazy(Told):
        async def run(self, batch: Sequence[tuple[Value, ...]]) -> list[Value]:
            return []

    done = await execute(["Image Captioning"], [ASKED], Shelf(Image_Captioning=Lazy("Image Captioning")))
    assert "gave 0 outputs for 1 inputs" in done.error


@given(st.lists(st.sampled_from([tool.name for tool in TOOLS]), max_size=8), st.sampled_from([ASKED, READ]))
async def test_any_plan_ends_in_one_value_a_sample_and_what_ran_fits_together(plan: list[str], sample: Sample) -> None:
    done = await execute(plan, [sample, sample], Shelf())
    assert len(done.outputs) == 2
    assert [run.tool for run in done.runs] == plan[: len(done.runs)]
    assert (len(done.runs) == len(plan)) == (not done.error)
    for run in done.runs:
        tool = BY_NAME[run.tool]
        assert {type_of(value) for value in run.made} == {tool.gives}
        assert all(sorted(map(type_of, took)) in (sorted(tool.takes), [tool.takes[0]]) for took in run.took)
    if done.runs:
        assert done.outputs == done.runs[-1].made
