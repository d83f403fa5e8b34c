"""`local:` on a tiny random Llama: batches, chance, streams, constraints, adapters, and what is refused."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autoflow.errors import ModelError, ModelNotFound, ModelReplyError, ModelRequestError, SettingsError
from autoflow.lang import parse_strict
from autoflow.lang.grammar import core_grammar
from autoflow.llm.base import LLM, Choice, Completion, Grammar, Image, JsonSchema, Message, Options
from autoflow.llm.local import open_local
from autoflow.llm.local.backend import LocalLLM
from autoflow.llm.local.engine import forget_engines
from autoflow.llm.registry import open_llm
from autoflow.testing import LLMContract
from tests.llm.tiny import make_adapter, make_tiny

ASK = [Message("user", "Tell a story.")]
ASKED = [[Message("user", "word " * n + "Tell a story.")] for n in range(6)]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def adapters(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    make_adapter(folder / "first.v1", tiny, seed=1)
    make_adapter(folder / "second", tiny, seed=2)
    make_adapter(folder / "wide", make_tiny(folder / ".base", hidden=64), seed=3)
    return folder


@pytest.fixture
def worn(home: Path, adapters: Path) -> Path:
    """The folder of adapters of this test."""
    (home / "adapters").symlink_to(adapters)
    return home / "adapters"


@pytest.fixture
def llm(tiny: Path) -> LocalLLM:
    return open_local(str(tiny))


@pytest.fixture(scope="module", autouse=True)
def _let_go() -> Iterator[None]:
    yield
    forget_engines()


class TestContract(LLMContract):
    @pytest.fixture(autouse=True)
    def _with_a_model(self, tiny: Path) -> None:
        self.folder = tiny

    async def open(self) -> LLM:
        return open_local(str(self.folder))


async def text(llm: LLM, messages: list[Message] = ASK, **options: Any) -> str:
    return (await _done(llm, messages, **options)).text


async def _done(llm: LLM, messages: list[Message], **options: Any) -> Completion:
    return await llm.complete(messages, Options(**({"max_tokens": 24} | options)))


async def test_a_batch_answers_as_one_by_one_without_chance(llm: LocalLLM) -> None:
    alone = [await text(llm, asked) for asked in ASKED]
    assert await asyncio.gather(*(text(llm, asked) for asked in ASKED)) == alone
    assert len(set(alone)) > 1


async def test_a_seed_gives_the_same_text_whatever_else_is_asked(llm: LocalLLM) -> None:
    options = {"temperature": 1.0, "seed": 7, "top_p": 0.9}
    alone = await text(llm, **options)
    together = await asyncio.gather(text(llm, **options), *(text(llm, asked, temperature=1.0) for asked in ASKED))
    assert together[0] == alone
    assert await text(llm, **options | {"seed": 8}) != alone


async def test_without_a_seed_answers_differ(llm: LocalLLM) -> None:
    assert len({await text(llm, temperature=1.0) for _ in range(3)}) > 1


async def test_prompts_longer_than_a_chunk_are_read_in_parts(tiny: Path, tmp_path: Path) -> None:
    long = [[Message("user", "Name a colour. " * n)] for n in (90, 1, 130)]
    llm = open_local(str(make_tiny(tmp_path / "long", context=4096)))
    alone = [await text(llm, asked) for asked in long]
    assert await asyncio.gather(*(text(llm, asked) for asked in long)) == alone


async def test_text_is_what_transformers_generates(llm: LocalLLM, tiny: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    chat = tokenizer.apply_chat_template([{"role": "user", "content": ASK[0].content}], add_generation_prompt=True,
                                         return_tensors="pt", return_dict=True)  # fmt: skip
    made = AutoModelForCausalLM.from_pretrained(tiny).generate(**chat, max_new_tokens=24, do_sample=False)
    expected = tokenizer.decode(made[0, chat["input_ids"].shape[1] :], skip_special_tokens=True)
    done = await _done(llm, ASK)
    assert done.text == expected
    assert done.usage.prompt_tokens == chat["input_ids"].shape[1]
    assert done.usage.completion_tokens == 24
    assert done.finish == "length"


async def test_pieces_come_while_it_is_decoded(llm: LocalLLM) -> None:
    pieces: list[str] = []
    done = await llm.complete(ASK, Options(max_tokens=24, temperature=1.0, seed=1), pieces.append)
    assert "".join(pieces) == done.text
    assert len(pieces) > 5


async def test_a_stop_sequence_ends_the_answer_and_is_no_part_of_it(llm: LocalLLM) -> None:
    whole = await text(llm, max_tokens=40, temperature=1.0, seed=3)
    stop = whole[8:11]
    pieces: list[str] = []
    options = Options(max_tokens=40, temperature=1.0, seed=3, stop=(stop,))
    done = await llm.complete(ASK, options, pieces.append)
    assert done.text == "".join(pieces) == whole[: whole.index(stop)]
    assert done.finish == "stop"


@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_only_one_of_the_choices_can_come(llm: LocalLLM, temperature: float) -> None:
    choices = ("Grün: ja", 'a "quoted" one', "back\\slash", "two\nlines", "yes", "yes please")
    asked = [_done(llm, ASK, constraint=Choice(choices), temperature=temperature, seed=n) for n in range(8)]
    for done in await asyncio.gather(*asked):
        assert done.text in choices
        assert (done.strength, done.finish) == ("grammar", "stop")


@pytest.mark.parametrize("choice", ["Grün: ja", 'a "quoted" one', "back\\slash", "two\nlines", "tab\there", "🦜 ?"])
async def test_any_text_can_be_a_choice(llm: LocalLLM, choice: str) -> None:
    assert await text(llm, constraint=Choice((choice,))) == choice


async def test_a_reply_follows_its_schema(llm: LocalLLM) -> None:
    schema = {
        "type": "object",
        "properties": {"answer": {"enum": ["yes", "no"]}, "sure": {"type": "boolean"}},
        "required": ["answer", "sure"],
        "additionalProperties": False,
    }
    reply = json.loads(await text(llm, constraint=JsonSchema(schema), max_tokens=80, temperature=1.0, seed=5))
    assert reply["answer"] in ("yes", "no")
    assert isinstance(reply["sure"], bool)


async def test_neighbours_keep_each_their_own_constraint(llm: LocalLLM) -> None:
    words = ("apple", "river", "stone", "cloud")
    asked = [text(llm, constraint=Grammar(f'root ::= "{word}" [a-z]{{4}}')) for word in words]
    *kept, free = await asyncio.gather(*asked, text(llm))
    assert [found[:5] for found in kept] == list(words)
    assert all(len(found) == 9 and found.isalpha() for found in kept)
    assert free == await text(llm)


async def test_a_workflow_under_the_grammar_of_core_is_one(tiny: Path, tmp_path: Path) -> None:
    llm = open_local(str(make_tiny(tmp_path / "long", context=4096)))
    grammar = core_grammar(2, 3, max_words=4)
    done = await _done(llm, ASK, constraint=grammar, temperature=1.0, seed=2, max_tokens=2000)
    assert done.finish == "stop"
    assert len(parse_strict(done.text).steps) in (2, 3)


@pytest.mark.parametrize(
    "constraint", [Grammar("root ::= missing"), Grammar('root ::= "'), JsonSchema({"type": "no-such-type"}), Choice(())]
)
async def test_a_constraint_that_is_none_harms_nobody_else(llm: LocalLLM, constraint: Any) -> None:
    refused, answered = await asyncio.gather(text(llm, constraint=constraint), text(llm), return_exceptions=True)
    assert isinstance(refused, ModelRequestError)
    assert answered == await text(llm)


async def test_adapters_answer_each_in_their_own_way_and_leave_the_base_alone(tiny: Path, worn: Path) -> None:
    names = (str(tiny), f"{tiny}+first.v1", f"{tiny}+second")
    first = [await text(open_local(name)) for name in names]
    assert len(set(first)) == 3
    again = await asyncio.gather(*(text(open_local(name)) for name in (*names, *reversed(names))))
    assert again == [*first, *reversed(first)]


async def test_one_base_is_loaded_once_for_all_its_adapters(
    tiny: Path, worn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import autoflow.llm.local.load as loading

    forget_engines()
    loads = []
    real = loading.load
    monkeypatch.setattr(loading, "load", lambda base: loads.append(base) or real(base))
    await asyncio.gather(*(text(open_local(name)) for name in (str(tiny), f"{tiny}+first.v1", f"{tiny}+second")))
    assert len(loads) == 1


async def test_an_adapter_saved_anew_is_read_anew(tiny: Path, worn: Path) -> None:
    make_adapter(worn / "changing", tiny, seed=4)
    llm = open_local(f"{tiny}+changing")
    before, mark = await text(llm), llm.mark
    make_adapter(worn / "changing", tiny, seed=5)
    assert await text(llm) != before
    assert llm.mark != mark


async def test_an_adapter_of_another_base_is_refused_and_harms_nothing(tiny: Path, worn: Path) -> None:
    before = await text(open_local(str(tiny)))
    with pytest.raises(ModelRequestError, match="adapter wide does not fit"):
        await text(open_local(f"{tiny}+wide"))
    assert await text(open_local(str(tiny))) == before
    assert await text(open_local(f"{tiny}+second")) != before


@pytest.mark.parametrize("name", ["../first", "a/b", "", ".hidden", "a\\b", "x" * 65])
def test_an_adapters_name_leads_nowhere_else(tiny: Path, worn: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="no name for an adapter"):
        open_local(f"{tiny}+{name}")


def test_adapters_are_never_unpickled(tiny: Path, worn: Path, home: Path) -> None:
    (home / "adapters").unlink()
    folder = home / "adapters" / "pickled"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}", "utf-8")
    (folder / "adapter_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelNotFound, match=r"has no file adapter_model\.safetensors"):
        open_local(f"{tiny}+pickled")
    with pytest.raises(ModelNotFound, match="no adapter nowhere"):
        open_local(f"{tiny}+nowhere")


async def test_weights_are_never_unpickled(tiny: Path, tmp_path: Path) -> None:
    import torch

    folder = make_tiny(tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelNotFound, match="cannot be loaded"):
        await text(open_local(str(folder)))


async def test_files_that_are_missing_or_damaged_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no folder or file"):
        open_local(str(tmp_path / "nowhere"))
    with pytest.raises(ModelNotFound, match="catalogue knows no model smollm3"):
        open_local("smollm3")
    with pytest.raises(SettingsError, match="cannot be talked to"):
        open_local("all-minilm-l6-v2")
    with pytest.raises(ModelNotFound, match=r"not on this machine yet\. Get it with: autoflow models get smollm2-135m"):
        await text(open_local("smollm2-135m"))
    folder = make_tiny(tmp_path / "cut")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelNotFound, match="cannot be loaded"):
        await text(open_local(str(folder)))


async def test_a_base_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRequestError, match="without a chat template"):
        await text(open_local(str(make_tiny(tmp_path / "base", template=False))))


async def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(llm: LocalLLM) -> None:
    with pytest.raises(ModelRequestError, match=r"has \d{3,} tokens, and the context is 256"):
        await text(llm, [Message("user", "word " * 600)])


async def test_an_answer_ends_with_the_context(llm: LocalLLM) -> None:
    done = await _done(
        llm, [Message("user", "word " * 40)], max_tokens=None, constraint=Grammar("root ::= [a-z]{3000}")
    )
    assert done.finish == "length"
    assert (done.usage.prompt_tokens or 0) + (done.usage.completion_tokens or 0) == 256


async def test_a_model_too_large_for_the_memory_is_refused_before_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    class Little:
        available = 1000

    monkeypatch.setattr(psutil, "virtual_memory", Little)
    with pytest.raises(ModelRequestError, match=r"needs about 0\.0 GB of memory"):
        await text(open_local(str(make_tiny(tmp_path / "large"))))


async def test_memory_that_ends_in_the_middle_is_told(llm: LocalLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    import autoflow.llm.local.row as row

    def full(*_: Any) -> int:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried")

    with monkeypatch.context() as patch:
        patch.setattr(row, "draw", full)
        with pytest.raises(ModelRequestError, match="memory did not suffice"):
            await text(llm, temperature=1.0)
    assert await text(llm)


async def test_a_cancelled_answer_ends_within_a_token_and_frees_the_thread(
    llm: LocalLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    import autoflow.llm.local.row as row

    steps = []
    real = row.Row.choose

    def counted(self: row.Row, logits: Any) -> int:
        steps.append(self)
        time.sleep(0.02)
        return real(self, logits)

    monkeypatch.setattr(row.Row, "choose", counted)
    options = Options(max_tokens=200, constraint=Grammar("root ::= [a-z]{3000}"))
    begun = asyncio.Event()
    task = asyncio.create_task(llm.complete(ASK, options, lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    seen = len(steps)
    assert await text(llm, max_tokens=2)
    assert len([one for one in steps if one is steps[0]]) <= seen + 1


async def test_a_neighbour_that_leaves_changes_nothing(llm: LocalLLM) -> None:
    alone = await text(llm, ASKED[3], max_tokens=60)
    limits = (3, 60, 17, 1)
    together = await asyncio.gather(
        *(text(llm, ASKED[n], max_tokens=limit) for n, limit in zip((0, 3, 5, 1), limits, strict=True))
    )
    assert together[1] == alone


async def test_time_that_is_up_is_told(llm: LocalLLM) -> None:
    await text(llm)
    with pytest.raises((ModelReplyError, ModelError), match=r"within 0\.0001 s"):
        await text(llm, timeout_s=0.0001, max_tokens=200)


async def test_the_event_loop_goes_on_while_it_answers(llm: LocalLLM) -> None:
    threads = set()
    done = await llm.complete(ASK, Options(max_tokens=50), lambda _: threads.add(threading.get_ident()))
    assert done.text
    assert threads == {threading.get_ident()}


async def test_images_are_refused_in_words(llm: LocalLLM) -> None:
    with pytest.raises(ModelRequestError, match="images"):
        await text(llm, [Message("user", "?", images=(Image("image/png", b"x"),))])


async def test_an_idle_model_is_let_go_and_comes_back(
    tiny: Path, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from autoflow.llm.local.engine import engine_of
    from autoflow.llm.local.names import find_base
    from autoflow.settings import settings

    monkeypatch.setenv("AUTOFLOW_IDLE_STOP_S", "0.05")
    settings.cache_clear()
    name = str(make_tiny(tmp_path / "idle"))
    first = await text(open_local(name))
    engine = engine_of(find_base(name))
    while engine.warm:
        await asyncio.sleep(0.02)
    assert await text(open_local(name)) == first


async def test_the_registry_opens_it_and_keeps_its_answers(tiny: Path) -> None:
    llm = open_llm(f"local:{tiny}")
    first = await llm.complete(ASK, Options(max_tokens=8))
    again = await llm.complete(ASK, Options(max_tokens=8))
    assert (first.text, first.usage.cached) == (again.text, False)
    assert again.usage.cached
    assert first.usage.cost_usd == 0.0
    assert llm.name == f"local:{tiny}"
