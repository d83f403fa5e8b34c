"""What every store must do, whatever database lies under it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from autoflow.errors import Conflict, NotFound, StoreError
from autoflow.records import Connection, Event, Run, RunPolicy, Task, TaskInput, Totals, new_id
from autoflow.store import SqlStore
from autoflow.store.sql import open_store

HOSTILE = [
    "", " ", "\n", "a\0b", "\ud800", "x\udfffy", "\U0001f600 é e\u0301", "'; DROP TABLE workflows; --", "%s %(x)s ? :x",
    "\u202e right to left", "\ufeff", "line\r\nline\u2028line", "\\x00 \\ud800", "\uffff\U0010ffff",
]  # fmt: skip


def storable(text: str) -> str:
    """The documented change: NUL and lone surrogates become U+FFFD."""
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Run all at the same moment, each in a thread; their results, or what they raised."""
    start, results = threading.Barrier(len(actions)), [None] * len(actions)

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = actions[number]()  # type: ignore[call-overload]
        except Exception as error:
            results[number] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(results)


def seen(visit: int, kind: str = "step_finished", **data: object) -> Event:
    return Event(kind=kind, visit=visit, at=1.5, data=data)


def finished(visit: int) -> Event:
    return seen(visit, step=f"Step {visit}", seconds=0.5)


class StoreFixtures:
    """A store on `url`, which a subclass gives as a fixture."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[SqlStore]:
        opened = open_store(url)
        yield opened
        opened.close()

    @pytest.fixture
    def task(self, store: SqlStore) -> Task:
        return store.add_task("Decide whether a refund is justified")

    @pytest.fixture
    def run(self, store: SqlStore, task: Task) -> Run:
        return store.create_run(text="t", task=task, model="scripted:x", policy=RunPolicy())


class WorkflowContract(StoreFixtures):
    def test_new_workflow_with_text_is_version_1(self, store: SqlStore) -> None:
        made = store.create_workflow("Refund mail", "Step 1:::terminal:::Say hi:::", origin="example", model="m")
        assert (made.revision, made.version, made.can_undo, made.can_redo) == (1, 1, False, False)
        assert store.get_version(made.id, 1).model_dump(exclude={"created_at"}) == {
            "workflow_id": made.id, "number": 1, "text": made.text, "origin": "example", "model": "m", "note": "",
        }  # fmt: skip

    def test_new_workflow_without_text_has_no_version(self, store: SqlStore, task: Task) -> None:
        made = store.create_workflow("Empty", task=task)
        assert made.version == 0
        assert store.list_versions(made.id) == []
        assert store.get_workflow(made.id).task == task

    @pytest.mark.parametrize("text", HOSTILE)
    def test_any_unicode_comes_back_storable(self, store: SqlStore, text: str) -> None:
        made = store.create_workflow(text, text, task=Task(id=new_id("tk"), objective=text))
        saved = store.save_draft(made.id, text + "!" + text, revision=1, author=text)
        assert store.get_workflow(made.id) == saved
        assert saved.name == storable(text)
        assert saved.text == storable(text + "!" + text)
        assert saved.task is not None
        assert saved.task.objective == storable(text)
        assert store.undo(made.id, revision=2).text == storable(text)

    def test_same_text_changes_nothing(self, store: SqlStore) -> None:
        made = store.create_workflow("w", "a\0")
        assert store.save_draft(made.id, "a\0", revision=1) == made

    def test_undo_and_redo_walk_through_all_edits(self, store: SqlStore) -> None:
        made = store.create_workflow("w", "")
        texts = ["", "a", "ab", "xab", "xb", "", "\U0001f600\U0001f600", "\U0001f600", "end"]
        for number, text in enumerate(texts[1:], start=1):
            made = store.save_draft(made.id, text, revision=number)
        back = [made.text]
        while made.can_undo:
            made = store.undo(made.id, revision=made.revision)
            back.append(made.text)
        assert back == texts[::-1]
        forth = [made.text]
        while made.can_redo:
            made = store.redo(made.id, revision=made.revision)
            forth.append(made.text)
        assert forth == texts

    def test_undo_survives_a_new_session(self, store: SqlStore, url: str) -> None:
        made = store.create_workflow("w", "old")
        store.save_draft(made.id, "new", revision=1)
        other = open_store(url)
        assert other.undo(made.id, revision=2).text == "old"
        other.close()

    def test_undo_and_redo_with_nothing_to_do_change_nothing(self, store: SqlStore) -> None:
        made = store.create_workflow("w", "text")
        assert store.undo(made.id, revision=1) == made
        assert store.redo(made.id, revision=1) == made

    def test_an_edit_after_undo_drops_what_was_undone(self, store: SqlStore) -> None:
        made = store.create_workflow("w", "0")
        store.save_draft(made.id, "1", revision=1)
        store.undo(made.id, revision=2)
        made = store.save_draft(made.id, "2", revision=3)
        assert not made.can_redo
        assert store.undo(made.id, revision=made.revision).text == "0"

    def test_history_keeps_the_latest_500_edits(self, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("autoflow.store.drafts.MAX_EDITS", 5)
        made = store.create_workflow("w", "0")
        for number in range(1, 9):
            made = store.save_draft(made.id, str(number), revision=number)
        while made.can_undo:
            made = store.undo(made.id, revision=made.revision)
        assert made.text == "3"
        assert [edit.added for edit in store.list_edits(made.id)] == ["8", "7", "6", "5", "4"]

    def test_conflict_keeps_the_refused_text(self, store: SqlStore) -> None:
        made = store.create_workflow("Refund mail", "base")
        store.save_draft(made.id, "tab one", revision=1)
        with pytest.raises(Conflict, match="Refund mail") as caught:
            store.save_draft(made.id, "tab two", revision=1, author="tab 2")
        assert caught.value.hint
        assert store.get_workflow(made.id).text == "tab one"
        refused = store.list_edits(made.id, refused=True)
        assert [(edit.added, edit.author, edit.state) for edit in refused] == [("tab two", "tab 2", "refused")]
        assert store.undo(made.id, revision=2).text == "base"  # what was refused is no step of undo

    def test_stale_save_of_the_same_text_is_no_conflict(self, store: SqlStore) -> None:
        made = store.create_workflow("w", "a")
        saved = store.save_draft(made.id, "b", revision=1)
        assert store.save_draft(made.id, "b", revision=1) == saved

    @pytest.mark.parametrize("move", ["undo", "redo"])
    def test_stale_undo_and_redo_are_conflicts(self, store: SqlStore, move: str) -> None:
        made = store.create_workflow("w", "a")
        store.save_draft(made.id, "b", revision=1)
        with pytest.raises(Conflict):
            getattr(store, move)(made.id, revision=1)
        assert store.get_workflow(made.id).text == "b"

    def test_of_two_saves_at_once_one_is_a_conflict(self, store: SqlStore) -> None:
        made = store.create_workflow("w", "a")
        results = at_once(*(lambda n=n: store.save_draft(made.id, f"tab {n}", revision=1) for n in range(4)))  # type: ignore[misc]
        assert sum(isinstance(result, Conflict) for result in results) == 3
        texts = {edit.added for edit in store.list_edits(made.id, refused=True)} | {store.get_workflow(made.id).text}
        assert texts == {f"tab {n}" for n in range(4)}

    def test_version_keeps_the_draft_once(self, store: SqlStore) -> None:
        made = store.create_workflow("w", "one")
        store.save_draft(made.id, "two", revision=1)
        kept = store.save_version(made.id, origin="edited", note="better")
        assert (kept.number, kept.text, kept.note) == (2, "two", "better")
        assert store.save_version(made.id, origin="edited") == kept
        assert [version.number for version in store.list_versions(made.id)] == [2, 1]
        assert store.get_workflow(made.id).version == 2

    def test_version_with_text_becomes_the_draft_and_can_be_undone(self, store: SqlStore) -> None:
        made = store.create_workflow("w", "mine")
        store.save_version(made.id, origin="generated", text="the model's", model="m")
        assert store.get_workflow(made.id).text == "the model's"
        assert store.undo(made.id, revision=2).text == "mine"

    def test_version_for_an_old_revision_leaves_the_draft_alone(self, store: SqlStore) -> None:
        made = store.create_workflow("w", "mine")
        store.save_draft(made.id, "typed meanwhile", revision=1)
        kept = store.save_version(made.id, origin="generated", text="the model's", revision=1)
        assert kept.number == 2
        assert store.get_workflow(made.id).text == "typed meanwhile"

    def test_version_of_a_job_is_saved_once(self, store: SqlStore) -> None:
        made, job_id = store.create_workflow("w"), new_id("jb")
        first = store.save_version(made.id, origin="generated", text="a", job_id=job_id)
        store.save_version(made.id, origin="edited", text="b")
        assert store.save_version(made.id, origin="generated", text="a", job_id=job_id) == first
        assert store.get_workflow(made.id).text == "b"

    def test_versions_saved_at_once_get_different_numbers(self, store: SqlStore) -> None:
        made = store.create_workflow("w")
        saves = (lambda n=n: store.save_version(made.id, origin="edited", text=f"{n}") for n in range(4))  # type: ignore[misc]
        assert sorted(version.number for version in at_once(*saves)) == [1, 2, 3, 4]  # type: ignore[attr-defined]

    @pytest.mark.parametrize("number", [-1, 0, 2, 2**31, 2**63, 10**30])
    def test_unknown_version_is_named(self, store: SqlStore, number: int) -> None:
        made = store.create_workflow("Refund mail", "text")
        with pytest.raises(NotFound, match="Refund mail"):
            store.get_version(made.id, number)

    def test_list_shows_the_latest_change_first_and_hides_what_was_deleted(self, store: SqlStore) -> None:
        ids = [store.create_workflow(name).id for name in "abc"]
        store.rename_workflow(ids[0], "renamed")
        store.delete_workflow(ids[1])
        assert [workflow.id for workflow in store.list_workflows()] == [ids[0], ids[2]]
        assert [workflow.id for workflow in store.list_workflows(limit=1)] == [ids[0]]
        assert store.get_workflow(ids[1]).deleted
        assert store.restore_workflow(ids[1]).name == "b"
        assert not store.get_workflow(ids[1]).deleted
        assert store.list_workflows()[0].id == ids[1]

    def test_texts_of_10000_steps_are_kept_with_their_history(self, store: SqlStore) -> None:
        text = "".join(f"Step {n}:::process:::Do what has to be done:::next::Step {n + 1}\n" for n in range(10_000))
        made = store.create_workflow("large", text)
        changed = text.replace("Step 5000:::process", "Step 5000:::decision")
        made = store.save_draft(made.id, changed, revision=1)
        assert made.text == changed
        [edit] = store.list_edits(made.id)
        assert len(edit.added) + len(edit.removed) < 20
        assert store.undo(made.id, revision=2).text == text


class RunContract(StoreFixtures):
    def test_run_comes_back_as_it_was_made(self, store: SqlStore, task: Task) -> None:
        workflow = store.create_workflow("w", "text")
        inherited = [seen(0, "run_started"), seen(1)]
        made = store.create_run(
            text="text", task=task, model="m", policy=RunPolicy(max_steps=7), workflow_id=workflow.id, version=1,
            events=inherited,
        )  # fmt: skip
        assert store.get_run(made.id) == made
        assert (made.workflow_id, made.version, made.policy.max_steps, made.stop) == (workflow.id, 1, 7, None)
        assert store.run_events(made.id) == [(1, inherited[0]), (2, inherited[1])]

    def test_runs_are_listed_newest_first_and_by_workflow(self, store: SqlStore, task: Task) -> None:
        workflow = store.create_workflow("w", "text")
        ids = [
            store.create_run(text="t", task=task, model="m", policy=RunPolicy(), workflow_id=w).id
            for w in (None, workflow.id, workflow.id)
        ]
        assert [run.id for run in store.list_runs()] == ids[::-1]
        assert [run.id for run in store.list_runs(workflow.id)] == [ids[2], ids[1]]
        assert [run.id for run in store.list_runs(limit=1)] == [ids[2]]

    def test_events_are_numbered_from_1_without_holes(self, store: SqlStore, run: Run) -> None:
        assert store.append_events(run.id, [seen(1), seen(2)]) == 2
        assert store.append_events(run.id, []) == 2
        assert store.append_events(run.id, [seen(3)]) == 3
        assert [number for number, _ in store.run_events(run.id)] == [1, 2, 3]
        assert store.run_events(run.id, after=2) == [(3, seen(3))]
        assert store.run_events(run.id, after=3) == []

    def test_events_appended_at_once_keep_their_order_within_each_call(self, store: SqlStore, run: Run) -> None:
        batches = [[seen(batch, part=n) for n in range(5)] for batch in range(6)]
        at_once(*(lambda b=batch: store.append_events(run.id, b) for batch in batches))  # type: ignore[misc]
        found = store.run_events(run.id)
        assert [number for number, _ in found] == list(range(1, 31))
        for start in range(0, 30, 5):
            assert [event for _, event in found[start : start + 5]] in batches

    @pytest.mark.parametrize("text", HOSTILE)
    def test_any_unicode_in_events_comes_back_storable(self, store: SqlStore, run: Run, text: str) -> None:
        store.append_events(run.id, [seen(1, text=text, nested=[{text: text}])])
        kept = storable(text)
        assert store.run_events(run.id) == [(1, seen(1, text=kept, nested=[{kept: kept}]))]

    def test_finished_run_keeps_its_first_end(self, store: SqlStore, run: Run) -> None:
        totals = Totals(calls=2, cost_usd=None)
        done = store.finish_run(run.id, stop="terminal", answer="yes", error="", totals=totals)
        assert (done.stop, done.answer, done.totals) == ("terminal", "yes", totals)
        assert done.finished_at is not None
        assert store.finish_run(run.id, stop="cancelled", answer="", error="", totals=Totals()) == done

    def test_reopened_run_keeps_whole_visits(self, store: SqlStore, run: Run) -> None:
        whole = [seen(0, "run_started"), seen(1, "step_entered"), finished(1)]
        store.append_events(run.id, [*whole, seen(2, "step_entered"), seen(0, "run_finished")])
        store.finish_run(run.id, stop="model-error", answer="", error="no", totals=Totals(calls=9))
        opened = store.reopen_run(run.id)
        assert (opened.stop, opened.error, opened.finished_at, opened.totals.seconds) == (None, "", None, 0.5)
        assert [event for _, event in store.run_events(run.id)] == whole
        assert store.append_events(run.id, [seen(2, "step_entered")]) == 4

    def test_calls_that_tools_made_count_in_a_reopened_run(self, store: SqlStore, run: Run) -> None:
        took = Totals(calls=2, prompt_tokens=30, completion_tokens=4, cost_usd=0.5).model_dump(exclude={"seconds"})
        made = [{"name": "result-1", "sha256": "0" * 64, "width": 8, "height": 9}]
        visit = [seen(1, "tool_result", text="picture", made=made, totals=took), seen(1, "tool_result"), finished(1)]
        store.append_events(run.id, visit)
        store.finish_run(run.id, stop="model-error", answer="", error="no", totals=Totals())
        totals = store.reopen_run(run.id).totals
        assert (totals.calls, totals.prompt_tokens, totals.cost_usd, totals.seconds) == (2, 30, 0.5, 0.5)
        assert [event for _, event in store.run_events(run.id)] == visit, "hashes of pictures among them"

    def test_reopened_run_without_a_whole_visit_begins_anew(self, store: SqlStore, run: Run) -> None:
        store.append_events(run.id, [seen(0, "run_started"), seen(1, "step_entered"), seen(0, "run_finished")])
        store.finish_run(run.id, stop="model-error", answer="", error="no", totals=Totals())
        store.reopen_run(run.id)
        assert store.run_events(run.id) == []

    def test_open_run_is_not_reopened(self, store: SqlStore, run: Run) -> None:
        store.append_events(run.id, [seen(0, "run_started"), seen(1, "step_entered")])
        assert store.reopen_run(run.id) == run
        assert len(store.run_events(run.id)) == 2


class RecordsContract(StoreFixtures):
    def test_task_comes_back(self, store: SqlStore) -> None:
        made = store.add_task("Look \0 at it", [TaskInput(name="mail", text="Dear \ud800")], ["calculator"])
        assert store.get_task(made.id) == made
        assert (made.objective, made.inputs[0].text, made.tools) == (
            "Look \ufffd at it",
            "Dear \ufffd",
            ("calculator",),
        )

    def test_long_objective_is_kept(self, store: SqlStore) -> None:
        assert store.add_task("x" * 100_000).objective == "x" * 100_000

    def test_file_is_kept_by_its_content(self, store: SqlStore) -> None:
        data = bytes(range(256)) * 3
        image = store.add_file(data, name="photo", filename="a.png", media_type="image/png")
        again = store.add_file(data, name="other", filename="b.bin", media_type="application/octet-stream")
        assert (image.kind, again.kind, image.size) == ("image", "file", 768)
        assert image.sha256 == again.sha256
        assert image.sha256 is not None
        assert store.read_file(image.sha256) == data

    def test_same_file_added_at_once_is_kept(self, store: SqlStore) -> None:
        add = [lambda: store.add_file(b"same", name="n", filename="f", media_type="text/plain")] * 4
        assert len({made.sha256 for made in at_once(*add)}) == 1  # type: ignore[attr-defined]

    def test_file_over_25_mb_is_refused_by_name(self, store: SqlStore) -> None:
        with pytest.raises(StoreError, match=r"'huge\.bin' has 25\.0 MB"):
            store.add_file(b"x" * (25 * 2**20 + 1), name="n", filename="huge.bin", media_type="text/plain")

    @pytest.mark.parametrize("sha256", ["", "0" * 64, "../../etc/passwd", "\0", "é" * 64])
    def test_unknown_file(self, store: SqlStore, sha256: str) -> None:
        with pytest.raises(NotFound):
            store.read_file(sha256)

    def test_connection_is_added_replaced_and_deleted(self, store: SqlStore) -> None:
        first = store.save_connection(Connection(name="gpt", model="gpt-5-mini", key_env="OPENAI_API_KEY"))
        second = store.save_connection(Connection(name="gpt", model="other", test={"ok": True}))
        assert second.created_at == first.created_at > 0
        assert store.list_connections() == [second]
        assert store.get_connection("gpt").test == {"ok": True}
        store.delete_connection("gpt")
        with pytest.raises(NotFound, match="gpt"):
            store.get_connection("gpt")

    def test_connection_saved_at_once_is_there_once(self, store: SqlStore) -> None:
        saves = (lambda n=n: store.save_connection(Connection(name="x", model=str(n))) for n in range(4))  # type: ignore[misc]
        assert not [result for result in at_once(*saves) if isinstance(result, Exception)]
        assert len(store.list_connections()) == 1

    @pytest.mark.parametrize(
        "bad", ["", "wf_", "wf_8k2m1x0c9d7", "rn_8k2m1x0c9d7e", "' OR 1=1 --", "\0", "x" * 100_000]
    )
    def test_what_is_no_id_is_not_found(self, store: SqlStore, bad: str) -> None:
        for ask in (store.get_workflow, store.delete_workflow, store.list_versions, store.list_edits, store.list_runs):
            with pytest.raises(NotFound) as caught:
                ask(bad)
            assert len(str(caught.value)) < 200

    def test_unknown_ids_are_named(self, store: SqlStore, task: Task) -> None:
        wf, rn, tk, jb = new_id("wf"), new_id("rn"), new_id("tk"), new_id("jb")
        asks: list[tuple[str, Callable[[], object]]] = [
            (wf, lambda: store.get_workflow(wf)),
            (wf, lambda: store.save_draft(wf, "", revision=1)),
            (wf, lambda: store.undo(wf, revision=1)),
            (wf, lambda: store.save_version(wf, origin="edited")),
            (wf, lambda: store.rename_workflow(wf, "n")),
            (wf, lambda: store.create_run(text="", task=task, model="m", policy=RunPolicy(), workflow_id=wf)),
            (rn, lambda: store.get_run(rn)),
            (rn, lambda: store.run_events(rn)),
            (rn, lambda: store.append_events(rn, [seen(1)])),
            (rn, lambda: store.finish_run(rn, stop="terminal", answer="", error="", totals=Totals())),
            (rn, lambda: store.reopen_run(rn)),
            (tk, lambda: store.get_task(tk)),
            (jb, lambda: store.get_job(jb)),
            (jb, lambda: store.request(jb, "cancel")),
        ]
        for identifier, ask in asks:
            with pytest.raises(NotFound, match=identifier):
                ask()
