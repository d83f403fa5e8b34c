"""Fine-tuning on the Optimize page: how it is set up, what is shown of its steps, and what of its samples."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field
from streamlit.testing.v1 import AppTest

from autoflow.llm.catalogue import catalogue
from autoflow.optimize.options import METHOD_OPTIONS
from autoflow.optimize.training_view import point_of
from autoflow.records import Record
from autoflow.report.figures import number, percent
from autoflow.report.recording import load_recording, save_recording
from autoflow.store import SqlStore
from autoflow.study import Candidate, Outcome, Study, StudyBatch, StudySample
from pages.ui.optimize.fields import as_local
from pages.ui.optimize.figures import MOST_ROWS, rows
from pages.ui.optimize.samples import LONGEST, samples
from pages.ui.optimize.training_figures import rewards, shares, tiles
from tests.app.conftest import PATIENCE_S
from tests.app.optimizing import Visit, act, keys, query, shown
from tests.report.studies import HOSTILE
from tests.trainings import GENERATOR, Training, new_training, trained_study


@pytest.fixture
def study(store: SqlStore) -> Study:
    return trained_study(store, steps=6)


class TestWatching:
    def test_the_last_step_stands_in_five_figures_above_the_curves(
        self, visit: Visit, store: SqlStore, study: Study
    ) -> None:
        app = visit("optimize", study=study.id)
        assert not app.exception
        first, *_, last = map(point_of, store.training_steps(study.id))
        figures = {metric.label: (metric.value, metric.delta) for metric in app.metric}
        assert figures["Mean reward"][0] == number(last.figures.reward_mean)
        gained = last.figures.reward_mean - first.figures.reward_mean
        assert figures["Mean reward"][1] == number(gained).replace("−", "-")
        assert figures["Without errors"][0] == percent(last.sound)
        assert figures["Count"][0] == percent(last.counts)
        assert figures["Run to an end"][0] == percent(last.runs)
        assert figures["Score"][0] == number(last.score)
        text = shown(app)
        assert "Step 6 of 6 · 42 s a step: 21 s drawing, 12 s runs, 9.0 s update · 8 samples a step" in text
        assert "memory at most 2.4 GB" in text
        assert "fine-tuning · openagi-plan" in text
        assert f"written by {GENERATOR}" in text

    def test_what_the_checkpoints_take_is_told_where_they_lie(self, visit: Visit, study: Study, home: Path) -> None:
        folder = home / "trainings" / study.id / "best"
        folder.mkdir(parents=True)
        (folder / "adapter_model.safetensors").write_bytes(b"x" * 1_840_000)
        assert "2 MB on disk" in shown(visit("optimize", study=study.id))

    def test_before_the_first_step_it_says_what_is_waited_for(self, visit: Visit, store: SqlStore) -> None:
        app = visit("optimize", study=new_training(store).study.id)
        assert "The curves begin with the first step" in shown(app)
        assert not app.metric

    def test_after_one_step_nothing_is_said_to_have_changed(self, visit: Visit, store: SqlStore) -> None:
        writer = new_training(store)
        writer.train(1)
        app = visit("optimize", study=writer.study.id)
        assert [metric.delta for metric in app.metric] == [""] * 5
        assert "since the first step" not in shown(app)

    def test_only_new_steps_are_read(self, visit: Visit, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
        writer = new_training(store)
        writer.train(1)
        writer.train(2)
        asked: list[int] = []
        read = SqlStore.training_steps
        monkeypatch.setattr(
            SqlStore, "training_steps", lambda self, id, after=0: asked.append(after) or read(self, id, after)
        )
        app = visit("optimize", study=writer.study.id)
        assert "Step 2 of 40" in shown(app)
        writer.train(3)
        assert "Step 3 of 40" in shown(app.run())
        assert asked[0] == 0
        assert set(asked[1:]) <= {2, 3}

    def test_a_search_that_trains_nothing_shows_no_training(self, visit: Visit, store: SqlStore) -> None:
        from tests.studies import finished_study

        app = visit("optimize", study=finished_study(store).id)
        assert "Training" not in [head.value for head in app.header]

    def test_why_it_ended_early_is_told_as_text(self, visit: Visit, store: SqlStore) -> None:
        writer = new_training(store)
        writer.train(1)
        writer.end_early(f"All is one text. {HOSTILE}")
        app = visit("optimize", study=writer.study.id)
        assert ":material/warning: **The training ended early, with step 2**" in shown(app)
        assert f"All is one text. {HOSTILE}" in [text.value for text in app.text]
        assert "Ended early · fine-tuning" in shown(visit("optimize"))

    def test_what_goes_wrong_is_told_while_it_goes_on(self, visit: Visit, store: SqlStore) -> None:
        writer = new_training(store)
        writer.train(1, kl=1.7)
        text = shown(visit("optimize", study=writer.study.id))
        assert ":material/warning: **The model runs away from its base**" in text
        assert "It differs by 1.70 nats a token; above 2 the training ends." in text
        store.add_to_study(StudyBatch(writer.study.id, stop="rounds"))
        assert ":material/warning:" not in shown(visit("optimize", study=writer.study.id))

    def test_under_way_it_is_training_and_counts_steps(self, visit: Visit, store: SqlStore) -> None:
        writer = new_training(store)
        writer.train(1)
        job = store.submit("study", {"study_id": writer.study.id}, title="x", subject_id=writer.study.id)
        lease = store.claim("test", lease_s=60, job_id=job.id)
        assert lease is not None
        store.heartbeat(lease, {"round": 2, "doing": "Drawing 8 samples"})
        text = shown(visit("optimize", study=writer.study.id))
        assert "**Training** · step 2 of 40" in text
        assert "Drawing 8 samples" in text


class TestSamples:
    def test_the_latest_step_is_read_where_the_address_names_no_other(self, visit: Visit, study: Study) -> None:
        assert "8 samples of step 6" in shown(visit("optimize", study=study.id))
        assert "8 samples of step 2" in shown(visit("optimize", study=study.id, step="2"))

    @pytest.mark.parametrize("step", ["99", "0", "-1", "x", "²", "9" * 30])
    def test_an_address_that_names_no_step_shows_the_latest(self, visit: Visit, study: Study, step: str) -> None:
        app = visit("optimize", study=study.id, step=step)
        assert not app.exception
        assert "8 samples of step 6" in shown(app)

    def test_they_are_ordered_as_asked_and_those_alike_stand_once(self) -> None:
        drawn = [
            sample("bad", -1.0), sample("good", 0.9, candidate=3, score=0.9, reached=1.0), sample("bad", -1.0),
            sample("copy", -0.3, copied=True),
        ]  # fmt: skip
        assert [s.text for s in samples(drawn, "Best first")] == ["good", "copy", "bad"]
        assert [s.text for s in samples(drawn, "Worst first")] == ["bad", "copy", "good"]
        assert [s.text for s in samples(drawn, "As drawn")] == ["bad", "good", "copy"]
        assert "drawn 2 times" in samples(drawn, "Worst first")[0].facts

    @pytest.mark.parametrize(
        ("more", "kind", "verdict"),
        [
            ({"error": "There is no step."}, "error", "There is no step."),
            ({"copied": True}, "copy", "Hardly more than the example in the prompt."),
            ({"score": 0.5, "reached": 0.75}, "ran", "Score 0.50, 75 % of its runs came to an answer"),
            ({"score": 0.5}, "ran", "Score 0.50"),
            ({}, "waits", "Without errors, but not run."),
        ],
    )
    def test_each_says_what_became_of_it(self, more: dict[str, object], kind: str, verdict: str) -> None:
        (found,) = samples([sample("text", 0.1, **more)], "As drawn")
        assert (found.kind, found.verdict) == (kind, verdict)

    def test_facts_tell_tokens_advantage_and_that_it_was_cut(self) -> None:
        (found,) = samples([sample("text", -0.25, tokens=1, ended=False, advantage=-0.5)], "As drawn")
        assert (found.reward, found.facts) == ("−0.25", "1 token · cut off · advantage −0.50")

    def test_a_very_long_text_is_cut_and_says_so(self) -> None:
        (found,) = samples([sample("x" * (LONGEST + 1234), 0.1)], "As drawn")
        assert found.text == "x" * LONGEST + "\n… and 1,234 more characters"


def sample(text: str, reward: float, **more: object) -> StudySample:
    base = {"text": text, "reward": reward, "advantage": 0.0, "tokens": 5, "ended": True}
    return StudySample.model_validate(base | more)


class TestCharts:
    def test_they_draw_what_was_measured(self, store: SqlStore) -> None:
        writer = new_training(store)
        for step in (1, 2, 3):
            writer.train(step)
        points = [point_of(one) for one in store.training_steps(writer.study.id)]
        band, best, mean = rewards(points)
        assert list(mean.y) == [p.figures.reward_mean for p in points]
        assert list(best.y) == [p.figures.reward_best for p in points]
        for high, middle, low in zip(band.y, mean.y, band.low, strict=True):
            assert high is not None
            assert middle is not None
            assert low <= middle <= high
        sound, counts, runs, _ = shares(points)
        assert [list(s.y) for s in (sound, counts, runs)] == [
            [p.sound for p in points], [p.counts for p in points], [p.runs for p in points],
        ]  # fmt: skip
        assert all("Step 2\nreward" in series.words[1] for series in (best, mean, sound))

    def test_a_figure_that_was_not_measured_leaves_a_hole_and_a_lone_point_is_a_mark(self, store: SqlStore) -> None:
        writer = new_training(store)
        writer.train(1)
        (point,) = map(point_of, store.training_steps(writer.study.id))
        score = shares([point])[3]
        assert len(score.x) == (point.score is not None)
        assert rewards([point])[2].mode == "markers"

    def test_every_other_figure_of_a_step_has_a_small_chart(self, store: SqlStore) -> None:
        step = new_training(store).train(1)
        shown_in_tiles = {tile.id for tile in tiles([point_of(step)])}
        elsewhere = {"step", "reward_mean", "reward_best", "sampling_s", "reward_s", "update_s"}
        assert shown_in_tiles == set(type(step.figures).model_fields) - elsewhere
        assert all(len(tile.words) == 1 for tile in tiles([point_of(step)]))


class Kinds(Record):
    """An option of each kind that a method may have."""

    preset: Literal["own", "paper"] = Field("own", title="Preset")
    group: int = Field(8, ge=1, le=64, title="Samples")
    learning_rate: float = Field(1e-3, gt=0, lt=1, title="Learning rate")
    copied: float = Field(-0.25, title="Copy")
    constrained: bool = Field(False, title="Constrained")
    baseline: Literal["leave-one-out", "running"] = Field("leave-one-out", title="Baseline")
    targets: tuple[str, ...] = Field(("q_proj", "v_proj"), title="Layers")

    def __init__(self, **given: object) -> None:
        super().__init__(**({"group": 1} | given if given.get("preset") == "paper" else given))


def choosing() -> None:
    """The fields alone, and what they come to."""
    import streamlit as st

    from pages.ui.optimize import options

    st.session_state["chosen"] = options.choose("lora")


class TestOptions:
    @pytest.fixture
    def app(self, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> AppTest:
        monkeypatch.setitem(METHOD_OPTIONS, "lora", Kinds)
        return AppTest.from_function(choosing, default_timeout=PATIENCE_S).run()

    def test_what_is_left_as_it_is_is_not_kept(self, app: AppTest) -> None:
        assert app.session_state["chosen"] == {}

    def test_each_kind_has_a_field_and_is_kept_where_it_differs(self, app: AppTest) -> None:
        app.number_input(key="search-lora-group").set_value(16)
        app.number_input(key="search-lora-learning_rate").set_value(3e-4)
        app.number_input(key="search-lora-copied").set_value(-0.5)
        app.checkbox(key="search-lora-constrained").check()
        app.selectbox(key="search-lora-baseline").set_value("running")
        app.multiselect(key="search-lora-targets").set_value(["q_proj", "k_proj"])
        found = app.run().session_state["chosen"]
        assert found == {
            "group": 16, "learning_rate": 3e-4, "copied": -0.5, "constrained": True, "baseline": "running",
            "targets": ("q_proj", "k_proj"),
        }  # fmt: skip
        assert Kinds.model_validate(found).learning_rate == 3e-4

    def test_fields_go_by_the_rules_of_the_option(self, app: AppTest) -> None:
        rate = app.number_input(key="search-lora-learning_rate")
        assert (rate.value, rate.step) == (1e-3, 1e-3)
        assert 0 < rate.min < 1e-6
        assert 1 - 1e-6 < rate.max < 1
        group = app.number_input(key="search-lora-group")
        assert (group.min, group.max, group.step) == (1, 64, 1)
        assert app.number_input(key="search-lora-copied").min is None

    def test_a_preset_shows_its_own_values_and_keeps_what_differs_from_them(self, app: AppTest) -> None:
        app.number_input(key="search-lora-group").set_value(4).run()
        app.selectbox(key="search-lora-preset").set_value("paper").run()
        assert app.number_input(key="search-lora-paper-group").value == 1
        assert app.session_state["chosen"] == {"preset": "paper"}
        app.number_input(key="search-lora-paper-group").set_value(8).run()
        assert app.session_state["chosen"] == {"preset": "paper", "group": 8}

    def test_names_that_are_all_taken_away_are_those_of_the_method(self, app: AppTest) -> None:
        app.multiselect(key="search-lora-targets").set_value([]).run()
        assert app.session_state["chosen"] == {}

    def test_a_method_without_options_has_no_fields(self, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(METHOD_OPTIONS, "lora", raising=False)
        app = AppTest.from_function(choosing, default_timeout=PATIENCE_S).run()
        assert app.session_state["chosen"] == {}
        assert not app.number_input


class TestSettingUp:
    def test_only_models_of_this_machine_can_be_trained_and_where_none_is_it_says_so(
        self, visit: Visit, store: SqlStore, home: Path
    ) -> None:
        app = chosen(visit("optimize"))
        assert "No model on this machine can be trained yet." in shown(app)
        assert "search-start" not in keys(app)
        put_model(home)
        app = app.run()
        assert app.selectbox(key="search-base").options == [GENERATOR]
        assert "search-generator" not in {box.key for box in app.selectbox}
        assert "search-start" in keys(app)

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("Qwen/Qwen2.5-7B-Instruct", "local:Qwen/Qwen2.5-7B-Instruct"), (" local:a/b ", "local:a/b"),
            ("/models/x.gguf", "local:/models/x.gguf"), ("openai:gpt", "openai:gpt"), ("  ", ""), (None, ""),
        ],
    )  # fmt: skip
    def test_a_model_that_is_typed_is_one_of_this_machine(self, typed: str | None, meant: str) -> None:
        assert as_local(typed) == meant

    def test_what_is_chosen_becomes_a_study_that_trains(self, visit: Visit, store: SqlStore, home: Path) -> None:
        put_model(home)
        tuning = chosen(visit("optimize"))
        tuning.number_input(key="search-updates").set_value(25)
        app = act(tuning.run(), "search-start")
        (study,) = store.list_studies()
        assert query(app, "study") == study.id
        assert (study.spec.method, study.spec.generator) == ("lora", GENERATOR)
        assert (study.spec.budget.max_rounds, study.spec.options) == (25, {})

    def test_how_long_it_takes_is_reckoned_from_an_earlier_one(
        self, visit: Visit, store: SqlStore, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_model(home)
        monkeypatch.setitem(METHOD_OPTIONS, "lora", Kinds)
        tuning = chosen(visit("optimize"))
        assert "is known after the first" in shown(tuning)
        earlier(store)
        text = shown(tuning.number_input(key="search-lora-group").set_value(16).run())
        assert "About **2 h 20 min** for 100 steps of 16 samples" in text
        assert "A sample took 5.2 s in Before <b>, its runs and its share of the update included." in text
        tuning.number_input(key="search-minutes").set_value(10.0)
        assert "Your limit of time ends it sooner." in shown(tuning.run())


def chosen(app: AppTest) -> AppTest:
    return next(c for c in app.segmented_control if c.key == "search-method").set_value("lora").run()


def put_model(home: Path) -> None:
    """A file of the size that the catalogue names, which is all that a list of models looks at."""
    entry = next(entry for entry in catalogue().entries if f"local:{entry.name}" == GENERATOR)
    entry.folder.mkdir(parents=True, exist_ok=True)
    for file in entry.files:
        (entry.folder / file.path).touch()
        os.truncate(entry.folder / file.path, file.size)


def earlier(store: SqlStore) -> Training:
    """A training of 8 samples in 42 s a step, and a later one of another model."""
    writer = new_training(store, "Before <b>")
    for step in range(1, 4):
        writer.train(step)
    other = store.create_study("Other", writer.study.spec.model_copy(update={"generator": "local:other"}), {})
    store.add_to_study(StudyBatch(other.id, rounds=1, steps=store.training_steps(writer.study.id)[:1]))
    return writer


class TestElsewhere:
    def test_of_very_many_candidates_the_best_and_the_latest_are_listed(self, store: SqlStore) -> None:
        writer = new_training(store)
        texts = [writer.suite.baseline.replace("Step 1", f"Step {n}x") for n in range(400)]
        made = [Candidate(number=n + 2, round=1, text=text, operator="drawn") for n, text in enumerate(texts)]
        val = writer.study.splits["val"]
        scored = [(Outcome(candidate=7, task=task, split="val", score=0.99, stop="terminal"), ()) for task in val]
        store.add_to_study(StudyBatch(writer.study.id, candidates=made, outcomes=scored))
        numbers = [row["number"] for row in rows(writer.view())]
        assert len(numbers) < 200
        assert {0, 1, 7, 401, 401 - MOST_ROWS // 2 + 1} <= set(numbers)
        assert numbers == sorted(set(numbers))

    def test_a_recorded_training_is_shown_with_its_steps(self, visit: Visit, store: SqlStore, tmp_path: Path) -> None:
        study = trained_study(store, steps=4)
        save_recording(store, study.id, tmp_path / "training.json.gz", "Made by hand.")
        shown_again = load_recording(store, tmp_path / "training.json.gz")
        app = visit("optimize", study=shown_again.id)
        assert not app.exception
        text = shown(app)
        assert "A recording, to show around." in text
        assert "Step 4 of 4" in text
        assert "on disk" not in text

    def test_two_of_its_candidates_are_compared(self, visit: Visit, store: SqlStore, study: Study) -> None:
        app = visit("compare", study=study.id, split="test")
        assert not app.exception
        assert "Scored on the sealed test, which was opened once." in shown(app)
        assert "This did not work" not in shown(app)

    def test_home_lists_it(self, visit: Visit, study: Study) -> None:
        assert study.name in shown(visit("home"))
