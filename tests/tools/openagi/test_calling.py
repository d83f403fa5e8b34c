"""The expert tools as a run calls them: by name, on real pictures, with everything that can be wrong with those."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from autoflow.errors import ToolArgumentError, ToolFailed, UnknownTool
from autoflow.llm.base import LLM
from autoflow.llm.scripted import ScriptedLLM
from autoflow.records import PictureRef
from autoflow.tools import open_toolbox
from autoflow.tools.base import ToolContext
from autoflow.tools.openagi import calling, shapes
from autoflow.tools.openagi.degrading import degraded
from autoflow.tools.openagi.images import as_shown, read_image
from autoflow.tools.openagi.table import TOOLS
from autoflow.tools.pictures import MOST_PIXELS, scaled_down
from autoflow.tools.toolbox import ToolOutcome
from tests.models import offline_files, offline_parts
from tests.tools.openagi.files import Files, no_hub
from tests.tools.openagi.pictures import natural, psnr
from tests.tools.openagi.test_images import bomb, saved

__all__ = ["no_hub", "offline_files", "offline_parts"]  # fixtures
pytestmark = pytest.mark.usefixtures("no_hub")
CAT = natural("chelsea.png")
TEXT = (
    "The mill grinds wheat by water. Ann likes plums. Water turns the wheel of the mill. Bob likes figs. Cem likes "
    "tea. The wheel of the mill is oak."
)


async def call(context: ToolContext, tool: str, llm: LLM | None = None, **arguments: str) -> ToolOutcome:
    async with open_toolbox([f"openagi.{tool}"], llm=llm) as box:
        return await box.call(f"openagi__{tool}", json.dumps(arguments), context, 60)


async def test_a_picture_is_made_of_a_picture_and_named_in_words() -> None:
    files = Files()
    noisy = degraded(CAT, ["noisy"], "seed")
    context = files.context(photo=noisy)
    done = await call(context, "image_denoising", image="photo")
    assert done.text == "picture result-1, 256 x 256"
    (took,), (made,) = done.result.took, done.result.made
    assert (took.name, took.sha256) == ("photo", context.task.inputs[0].sha256)
    assert (made.name, made.width, made.height) == ("result-1", 256, 256)
    assert done.more["by"] == "offline: non-local means"
    mended = read_image(files.read(made.sha256), "made")
    assert psnr(mended, CAT) > psnr(noisy, CAT) + 1


@pytest.mark.parametrize("name", ["result-1", "RESULT-1 ", "picture result-1", "picture result-1, 256 x 256"])
async def test_what_a_tool_made_goes_into_the_next(name: str) -> None:
    files = Files()
    context = files.context(photo=degraded(CAT, ["blurry", "noisy"], "seed"))
    first = await call(context, "image_denoising", image="photo")
    after = ToolContext(context.task, context.read_file, context.add_file, first.result.made)
    second = await call(after, "image_deblurring", image=name)
    assert second.result.took == first.result.made
    assert second.text == "picture result-2, 256 x 256"
    assert second.more["by"] == "offline: Richardson-Lucy"


@pytest.mark.parametrize("name", ["photo", "PHOTO", "photo.png"])
async def test_an_input_is_named_by_its_name_or_its_file(name: str) -> None:
    done = await call(Files().context(photo=CAT), "image_super_resolution", image=name)
    assert done.text == "picture result-1, 512 x 512"


async def test_the_same_picture_twice_is_kept_once_under_two_names() -> None:
    files = Files()
    context = files.context(one=CAT, two=CAT)
    first = await call(context, "image_deblurring", image="one")
    after = ToolContext(context.task, context.read_file, context.add_file, first.result.made)
    second = await call(after, "image_deblurring", image="two")
    assert [r.made[0].name for r in (first.result, second.result)] == ["result-1", "result-2"]
    assert first.result.made[0].sha256 == second.result.made[0].sha256
    assert len(files.kept) == 2


async def test_a_name_that_an_input_bears_is_not_given_again() -> None:
    context = Files().context(**{"result-1": CAT})
    assert (await call(context, "image_deblurring", image="result-1")).text == "picture result-2, 256 x 256"


@pytest.mark.parametrize("name", ["x.png", "../../etc/passwd", "/etc/passwd", "mail", "result-2", ""])
async def test_a_picture_that_is_not_there_is_told_with_those_that_are(name: str) -> None:
    context = Files().context(PictureRef(name="result-1", sha256="0" * 64, width=1, height=1), photo=CAT, mail="Hello")
    with pytest.raises(ToolArgumentError) as caught:
        await call(context, "image_denoising", image=name)
    assert str(caught.value) == f"There is no picture `{name}`. There are: `photo`, `result-1`."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bomb(60_000, 60_000), "pixels"),
        (bomb(10_000, 5_000), "10,000 x 5,000 pixels"),
        (b"hello", "`photo` is no picture"),
        (b"", "`photo` is no picture"),
        (saved(CAT)[:900], "damaged or cut off"),
    ],
    ids=["bomb", "large", "text", "empty", "cut"],
)
async def test_a_file_that_is_no_picture_is_told_by_name_and_nothing_is_kept(content: bytes, words: str) -> None:
    files = Files()
    context = files.context(photo=content)
    with pytest.raises(ToolFailed, match="photo") as caught:
        await call(context, "image_denoising", image="photo")
    assert words in str(caught.value)
    assert len(files.kept) == 1


async def test_a_file_that_is_gone_is_told() -> None:
    gone = PictureRef(name="result-1", sha256="0" * 64, width=1, height=1)
    with pytest.raises(ToolFailed, match="There is no file"):
        await call(Files().context(gone), "image_denoising", image="result-1")


async def test_a_large_picture_is_scaled_down_and_that_is_told() -> None:
    done = await call(Files().context(photo=CAT.resize((2048, 1024))), "image_deblurring", image="photo")
    assert done.text == "picture result-1, 1448 x 724. `photo` was scaled down to 1448 x 724 first."
    assert done.result.took[0].size == "2048 x 1024"


@pytest.mark.parametrize("size", [(1, 1), (1, 3_000_000), (4_000, 4_000), (1024, 1024)])
def test_no_tool_works_on_more_than_it_can_bear(size: tuple[int, int]) -> None:
    small = scaled_down(Image.new("RGB", size))
    assert small.width * small.height <= MOST_PIXELS
    assert small.size == size or size[0] * size[1] > MOST_PIXELS


async def test_text_tools_take_a_text_or_the_name_of_an_input() -> None:
    context = Files().context(mail="I love this, it is wonderful.")
    assert (await call(context, "sentiment_analysis", text="This is terrible, I hate it.")).text == "NEGATIVE"
    named = await call(context, "sentiment_analysis", text="mail")
    assert (named.text, named.more) == ("POSITIVE", {"by": "offline: VADER"})
    short = await call(context, "text_summarization", text=TEXT)
    assert 0 < len(short.text) < len(TEXT)
    assert short.more == {"by": "offline: LexRank"}


@pytest.mark.skipif(not shapes.FILE.is_file(), reason="assets/openagi/shapes.safetensors is not here")
async def test_a_question_about_a_picture_takes_both() -> None:
    from easy_vqa import get_test_image_paths

    shape = as_shown(read_image(Path(get_test_image_paths()[0]).read_bytes(), "shape"))
    context = Files().context(shape=shape)
    done = await call(context, "visual_question_answering", image="shape", question="what shape is in the image?")
    assert done.text in ("circle", "rectangle", "triangle")
    assert [ref.name for ref in done.result.took] == ["shape"]
    assert done.result.made == ()


async def test_what_asks_the_model_of_the_run_tells_what_that_took() -> None:
    llm = ScriptedLLM([{"match": r"\[MASK\]", "reply": "The cat sat."}])
    done = await call(Files().context(), "fill_mask", llm, text="The [MASK] sat.")
    assert (done.text, done.more["by"]) == ("The cat sat.", "offline: scripted:memory")
    assert done.more["totals"]["calls"] == 1
    assert done.more["totals"]["prompt_tokens"] > 0
    assert "seconds" not in done.more["totals"], "they are part of the visit's"


async def test_without_a_model_that_is_told() -> None:
    with pytest.raises(ToolFailed, match=r"asks a language model.*Choose a model"):
        await call(Files().context(), "fill_mask", text="The [MASK] sat.")


@pytest.mark.model
@pytest.mark.usefixtures("offline_parts")
async def test_a_picture_is_named_by_the_network_that_packages_ship() -> None:
    done = await call(Files().context(photo=CAT), "image_classification", image="photo")
    assert done.text in ("Egyptian Mau", "tabby cat", "tiger cat")
    assert done.more["by"] == "offline: efficientnet-lite0"


async def test_what_cannot_be_used_here_says_what_to_get() -> None:
    async with open_toolbox(["openagi.image_captioning", "openagi.image_denoising"]) as box:
        assert [tool.name for tool in box.tools] == ["openagi__image_captioning", "openagi__image_denoising"]
        (problem,) = box.problems
        assert "nlpconnect/vit-gpt2-image-captioning (Apache-2.0)" in str(problem)
        assert box.specs[0].description.startswith("Not available here.")
        with pytest.raises(ToolFailed, match="vit-gpt2-image-captioning"):
            await box.call("openagi__image_captioning", '{"image": "photo"}', Files().context(photo=CAT), 60)


async def test_the_name_of_all_means_those_that_can_be_used_and_tells_of_the_others() -> None:
    async with open_toolbox(["openagi", "calculator"]) as box:
        names = [tool.name for tool in box.tools]
    assert names[-1] == "calculator"
    assert "openagi__image_denoising" in names
    assert "openagi__fill_mask" in names, "a run has a language model"
    missing = {str(problem) for problem in box.problems}
    assert any("efficientnet-lite0" in sentence and "autoflow models get" in sentence for sentence in missing)
    assert len(names) - 1 + len(missing) == len(TOOLS), "none is silently missing"


async def test_a_name_that_none_bears_is_told_with_those_that_are() -> None:
    with pytest.raises(UnknownTool, match=r"openagi\.sing.*openagi__image_denoising"):
        async with open_toolbox(["openagi.sing"]):
            pass


async def test_arguments_are_checked_against_the_types_of_the_tool() -> None:
    context = Files().context(photo=CAT)
    with pytest.raises(ToolArgumentError, match="'question' is a required property"):
        await call(context, "visual_question_answering", image="photo")
    with pytest.raises(ToolArgumentError, match="'text' was unexpected"):
        await call(context, "image_denoising", image="photo", text="x")


def test_names_are_what_endpoints_take() -> None:
    from autoflow.tools.decorator import NAME

    tools = calling.expert_tools()
    assert all(NAME.fullmatch(tool.name) for tool in tools)
    assert [calling.exposed(name) for name in calling.names()] == [tool.name for tool in tools]
    assert calling.exposed("files.read") == "files.read"
    assert len({tool.spec.description for tool in tools}) == len(TOOLS)
