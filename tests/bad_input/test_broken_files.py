"""The files of the data folder that people write themselves, broken in every way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.jobs.payloads import GeneratePayload
from autoflow.prompts import list_prompts
from autoflow.records import Connection, RunPolicy
from autoflow.store import SqlStore
from tests.app.conftest import words
from tests.bad_input.conftest import GOOD, carried_out, run_job

Script = Callable[..., str]
FINE = ({"match": "Does it ask", "reply": "yes"}, {"match": "", "reply": "fine"})


class TestBrokenFiles:
    BROKEN: ClassVar = (b"{", b"\xff\xfe\x00", b"[1, 2]", b"null", b'"x"', b"[" * 100_000)

    @pytest.mark.parametrize("data", BROKEN)
    def test_every_page_is_shown_whatever_lies_in_the_folder(
        self, open_all: Callable[[], dict[str, str]], visit: Callable[..., AppTest], store: SqlStore, home: Path,
        data: bytes,
    ) -> None:  # fmt: skip
        store.save_connection(Connection(name="gpt", key_env="MY_KEY", base_url="https://models.example/v1"))
        for name in ("models.json", "prices.json", "mcp.json", "secrets.toml"):
            (home / name).write_bytes(data)
        shown = open_all()
        assert "Mails" in shown["home"]  # what needs none of them is not kept from the person
        assert "Step 1" in shown["write"]
        assert "models.json" in shown["models"]
        for tab, told in (("Connections", "secrets.toml"), ("Prices", "prices.json")):
            app = visit("models", **{"models-tab": tab})
            assert not app.exception
            assert told in words(app)

    @pytest.mark.parametrize("data", BROKEN)
    def test_runs_and_generations_end_in_words(self, store: SqlStore, home: Path, script: Script, data: bytes) -> None:
        for name in ("models.json", "prices.json", "mcp.json", "secrets.toml"):
            (home / name).write_bytes(data)
        store.save_connection(Connection(name="gpt", key_env="MY_KEY", base_url="http://127.0.0.1:9/v1"))
        for model, tools in ((script(*FINE), ["mcp:x"]), ("gpt", []), ("embedded:own", [])):
            task = store.add_task("x", tools=tools)
            run = store.create_run(text=GOOD, task=task, model=model, policy=RunPolicy())
            ended = run_job(store, run)
            assert ended.stop in ("model-error", "tool-error")
            assert str(home) in ended.error, ended.error
            asked = GeneratePayload(model=model, task=task).model_dump()
            done = carried_out(store, store.submit("generate", asked, title="g"))
            assert done.state == "failed"
            assert str(home) in done.error
            assert "Unexpected" not in done.error

    def test_a_prompt_file_that_is_no_text_is_told_and_can_be_taken_back(
        self, store: SqlStore, home: Path, script: Script, visit: Callable[..., AppTest], workflow: str
    ) -> None:
        for area, name in (("generate", "task"), ("interpret", "role")):
            (home / "prompts" / area).mkdir(parents=True)
            (home / "prompts" / area / f"{name}.md").write_bytes(b"\xff\xfe")
        run = store.create_run(text=GOOD, task=store.add_task("x"), model=script(*FINE), policy=RunPolicy())
        ended = run_job(store, run)
        assert (ended.stop, "role.md cannot be read" in ended.error) == ("model-error", True)
        asked = GeneratePayload(model=script(*FINE), task=store.add_task("x")).model_dump()
        done = carried_out(store, store.submit("generate", asked, title="g"))
        assert "task.md cannot be read" in done.error
        broken = [p for p in list_prompts() if p.fault]
        assert [(p.name, p.replaced) for p in broken] == [("task", True), ("role", True)]
        assert all(p.text for p in broken)

    def test_a_placeholder_that_means_nothing_ends_a_run_before_it_costs(
        self, store: SqlStore, home: Path, script: Script
    ) -> None:
        (home / "prompts" / "interpret").mkdir(parents=True)
        (home / "prompts" / "interpret" / "role.md").write_text("You are {{nobody}}.")
        run = store.create_run(text=GOOD, task=store.add_task("x"), model=script(*FINE), policy=RunPolicy())
        ended = run_job(store, run)
        assert (ended.stop, ended.totals.calls, "nobody" in ended.error) == ("model-error", 0, True)
