"""Method `lora`: a real model, small enough, is trained by a real process, and is a model in the list then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pytest

from autoflow.errors import ModelNotFound, ModelReplyError, SettingsError
from autoflow.llm.base import Message, Options
from autoflow.llm.local import open_local
from autoflow.llm.local.origin import Origin
from autoflow.llm.scripted import ScriptedLLM
from autoflow.optimize.base import Counting, Workshop
from autoflow.optimize.grading import grade
from autoflow.optimize.loop import canonical
from autoflow.optimize.lora import model_of, train_settings
from autoflow.optimize.lora_adapter import free_name, origin_of, publish
from autoflow.optimize.lora_compare import gain
from autoflow.optimize.lora_prompt import chats
from autoflow.optimize.methods import open_optimizer
from autoflow.optimize.options import LoraOptions, options_of
from autoflow.optimize.start import start_study
from autoflow.optimize.view import StudyView
from autoflow.optimize.warnings import warnings
from autoflow.records import Event, Job
from autoflow.settings import settings
from autoflow.store import SqlStore, open_store
from autoflow.study import DRAWN, TRAINED, UNTRAINED, Study, StudyBudget, StudySpec, SuiteSpec, TrainingStep
from autoflow.suites.registry import open_suite
from autoflow.tools.toolbox import Toolbox
from autoflow.train.best import best_adapters
from autoflow.train.settings import PAPER
from tests.optimize import trainable

STEPS = 24


@dataclass(frozen=True)
class House:
    """A data folder in which a training has come to its end."""

    home: Path
    store: SqlStore
    study: Study
    job: Job
    view: StudyView
    steps: list[TrainingStep]
    words: list[str]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOFLOW_HOME", str(home))
        settings.cache_clear()
        store, words = open_store(), []
        study, job = trainable.begun(store, trainable.spec_of(store, home / "files", steps=STEPS))
        job = trainable.carried_out(store, job, words.append)
        study = store.get_study(study.id)
        outcomes = [outcome for _, outcome in store.study_outcomes(study.id)]
        view = StudyView(study, store.study_candidates(study.id), outcomes)
        yield House(home, store, study, job, view, store.training_steps(study.id), words)
        store.close()
    settings.cache_clear()


@pytest.fixture
def inside(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFLOW_HOME", str(house.home))
    settings.cache_clear()


# -- what comes of it
def test_a_round_is_a_step_and_all_of_them_are_kept(house: House) -> None:
    assert (house.job.state, house.job.error) == ("done", "")
    assert (house.study.stop, house.study.rounds, house.study.test_uses) == ("rounds", STEPS, 1)
    assert [step.step for step in house.steps] == list(range(1, STEPS + 1))
    assert all(len(step.samples) == 8 for step in house.steps)


def test_it_learns(house: House) -> None:
    means = [step.figures.reward_mean for step in house.steps]
    assert fmean(means[-4:]) > fmean(means[:4]) + 0.3
    runnable = [fmean(not sample.error for sample in step.samples) for step in house.steps]
    assert fmean(runnable[-4:]) > fmean(runnable[:4]) + 0.3


def test_a_sample_earns_what_its_grade_or_its_candidate_does(house: House) -> None:
    options = LoraOptions.model_validate(house.study.spec.options)
    example = house.view.candidates[0].text
    steps_of: dict[int, set[int]] = {}
    for step in house.steps:
        for sample in step.samples:
            told = grade(sample.text, example, ended=sample.ended, novelty=options.novelty)
            assert (sample.error, sample.copied) == (told.error, told.copied)
            if told.counts:
                assert sample.candidate is not None
                assert canonical(house.view.candidates[sample.candidate].text) == canonical(sample.text)
                assert sample.reward == sample.score == house.view.reward(sample.candidate, "train")
                assert sample.reached == 1.0
                steps_of.setdefault(sample.candidate, set()).add(step.step)
            else:
                assert sample.candidate is None
                assert sample.reward == told.penalty(house.study.spec.reward, options.copied) < 0
    assert len(steps_of) > 3
    assert max(map(len, steps_of.values())) > 1, "a text that was there already earns what it earned there"


def test_only_what_can_run_is_a_candidate_and_none_is_there_twice(house: House) -> None:
    drawn = [c for c in house.view.candidates if c.operator == DRAWN]
    assert drawn
    assert not any(c.error for c in drawn)
    assert len({c.text for c in house.view.candidates[:2] + drawn}) == 2 + len(drawn)
    assert all(house.view.complete(c.number, "train") for c in drawn)
    assert {c.round for c in drawn} <= set(range(1, STEPS + 1))
    best = house.view.best()
    assert best is not None
    assert (best.operator, best.text) == (DRAWN, trainable.LINES[4])


def test_every_sample_counts_as_a_call_of_the_generator(house: House) -> None:
    runs = [outcome.totals.calls for outcome in house.view.all_outcomes()]
    assert house.view.totals().calls == sum(runs) + STEPS * 8 + 2 * 4
    assert house.view.totals().completion_tokens > 0


def test_base_and_adapter_are_compared_on_the_sealed_test_alone(house: House) -> None:
    found = gain(house.view)
    assert found is not None
    assert (found.base.samples, found.trained.samples) == (4, 4)
    for operator in (UNTRAINED, TRAINED):
        for c in house.view.candidates:
            if c.operator == operator:
                assert not house.view.outcomes(c.number, "train")
                assert bool(c.error) != house.view.complete(c.number, "test")
    scores = [house.view.score(c.number, "test") or 0.0 for c in house.view.candidates if c.operator == TRAINED]
    assert found.trained.score.mean == pytest.approx(fmean(scores))
    assert found.trained.runnable > found.base.runnable
    assert found.difference.difference.mean == pytest.approx(found.trained.score.mean - found.base.score.mean)
    assert ("untaught" in [w.kind for w in warnings(house.view)]) == (not found.sure)


def test_the_best_adapter_is_a_model_that_generates(house: House, inside: None) -> None:
    name = model_of(house.study.spec, house.study.id)
    assert name == f"{house.study.spec.generator}+skilful-answers"
    folder = settings().adapters / "skilful-answers"
    best = best_adapters(settings().trainings / house.study.id)[0]
    origin = Origin.model_validate_json((folder / "autoflow.json").read_text())
    assert (origin.base, origin.study, origin.step) == (house.study.spec.generator, house.study.id, best.step)
    assert origin.reward == max(step.figures.reward_mean for step in house.steps)
    assert best.step == max(house.steps, key=lambda s: s.figures.reward_mean).step - 1

    async def told(model: str, seed: int) -> str:
        options = Options(temperature=1.0, seed=seed, max_tokens=3)
        messages = [Message(said.role, said.content) for said in chats(workshop(house), LoraOptions())[0]]
        try:
            return (await open_local(model.removeprefix("local:")).complete(messages, options)).text
        except ModelReplyError:  # nothing but the end
            return ""

    async def share(model: str) -> float:
        texts = [await told(model, seed) for seed in range(24)]
        return fmean(not grade(text, "").error for text in texts)

    assert asyncio.run(share(name)) > asyncio.run(share(house.study.spec.generator)) + 0.2


def test_what_a_training_would_go_on_from_is_removed_when_it_has_ended(house: House) -> None:
    folder = house.home / "trainings" / house.study.id
    assert sorted(path.name for path in folder.iterdir()) == ["best", "lock"]
    assert trainable.children() == []


def test_it_says_what_it_does(house: House) -> None:
    said = "\n".join(house.words)
    for words in ("Loading local:", "Step 1: drawing 8 samples", "trying", f"Step {STEPS}: updating the adapter",
                  "Drawing 4 workflows each", "The sealed test, once"):  # fmt: skip
        assert words in said
    assert house.words[0] == "Before the first round: measuring 2 on validation"


# -- options
def test_the_paper_preset_is_as_published_but_for_what_is_set_by_name() -> None:
    paper = LoraOptions.model_validate({"preset": "paper", "max_new_tokens": 64})
    spec = StudySpec(method="lora", suite=SuiteSpec(name="x"), interpreter="i", options=paper.model_dump())
    found = train_settings(spec, options_of(spec, LoraOptions))
    assert (found.group, found.accumulate, found.baseline, found.kl_weight) == (1, 1, "running", 0.0)
    assert (found.adapter, found.learning_rate) == (PAPER.adapter, PAPER.learning_rate)
    assert found.sampling.max_new_tokens == 64
    assert (found.sampling.temperature, found.sampling.top_p, found.sampling.top_k) == (1.0, 0.9, 40)


def test_the_paper_preset_punishes_what_cannot_run_as_published(store: SqlStore, tmp_path: Path) -> None:
    options = {"preset": "paper", "compare": 0, "group": 1, "learning_rate": 0.0}
    study, job = trainable.begun(store, trainable.spec_of(store, tmp_path, steps=8, **options))
    assert trainable.carried_out(store, job).state == "done"
    samples = [step.samples for step in store.training_steps(study.id)]
    assert [len(found) for found in samples] == [1] * 8
    for (sample,) in samples:
        assert sample.reward == (-2.0 if sample.error else sample.score)
        assert not sample.copied
    assert (
        not (settings().adapters / "skilful-answers").exists()
        or best_adapters(settings().trainings / study.id)[0].step > 0
    )


@pytest.mark.parametrize(
    ("generator", "words"),
    [
        ("embedded:smollm2-135m", "Only a model of this machine can be trained"),
        ("local:MODEL+mine", "has an adapter on it. Take `local:"),
        ("local:smollm2-135m", "not on this machine yet. Get it with: autoflow models get smollm2-135m"),
        ("local:nothing-like-it", "knows no model nothing-like-it"),
    ],
)
def test_a_generator_that_cannot_be_trained_is_refused_before_the_start(
    store: SqlStore, tmp_path: Path, generator: str, words: str
) -> None:
    spec = trainable.spec_of(store, tmp_path)
    name = generator.replace("local:MODEL", spec.generator)
    with pytest.raises((SettingsError, ModelNotFound)) as refused:
        start_study(store, "Refused", spec.model_copy(update={"generator": name}))
    assert words in str(refused.value)
    assert store.list_studies() == []


def test_the_refusal_names_the_models_that_could_be_trained(store: SqlStore, tmp_path: Path) -> None:
    spec = trainable.spec_of(store, tmp_path).model_copy(update={"generator": "openai:gpt"})
    with pytest.raises(SettingsError, match="autoflow models get smollm2-135m"):
        open_optimizer(spec)
    mine = {"name": "mine", "title": "Mine", "files": [{"path": "m.gguf", "size": 3}], "location": str(tmp_path / "m")}
    (tmp_path / "m").write_text("abc")
    (settings().home / "models.json").write_text(json.dumps({"models": [mine]}))
    with pytest.raises(SettingsError, match="There are local:mine"):
        open_optimizer(spec)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"group": 1}, "`group >= 2` must hold for the baseline leave-one-out"),
        ({"rank": 4}, "The option `rank` of `lora`"),
        ({"temperature": 0}, "The option `temperature` of `lora`"),
        ({"targets": []}, "The option `targets` of `lora`"),
        ({"baseline": "median"}, "The option `baseline` of `lora`"),
    ],
)
def test_options_that_mean_nothing_are_refused_before_the_start(
    store: SqlStore, tmp_path: Path, options: dict[str, object], words: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        start_study(store, "Refused", trainable.spec_of(store, tmp_path, **options))
    assert words in str(refused.value)


# -- names of adapters
def test_an_adapter_is_named_after_its_study_and_no_name_is_taken_twice() -> None:
    assert free_name("Plans for Bilder, größer") == "plans-for-bilder-groer"
    assert free_name("../../etc") == free_name("etc") == "etc"
    assert free_name("日本") == "adapter"
    (settings().adapters / "etc").mkdir(parents=True)
    assert free_name("etc") == "etc-2"
    assert len(free_name("x" * 500)) <= 64


def test_publishing_again_replaces_its_own_adapter_wherever_it_was_moved_to(house: House, inside: None) -> None:
    folder, kept = house.home / "trainings" / house.study.id, best_adapters(house.home / "trainings" / house.study.id)
    (settings().adapters / "skilful-answers").rename(settings().adapters / "mine")
    try:
        assert publish(house.study, folder, kept[1], 1.0) == "mine"
        origin = origin_of(settings().adapters / "mine")
        assert origin is not None
        assert origin.step == kept[1].step
        assert [path.name for path in settings().adapters.iterdir()] == ["mine"]
    finally:
        (settings().adapters / "mine").rename(settings().adapters / "skilful-answers")
        publish(house.study, folder, kept[0], 1.0)


def test_the_state_of_a_training_is_not_needed_to_read_its_options() -> None:
    """Pages import the options: torch must not come with them."""
    import subprocess
    import sys

    code = "import sys, autoflow.optimize.lora, autoflow.optimize.options; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_limit_of_calls_counts_what_is_drawn_and_ends_a_training_with_its_test(store: SqlStore, tmp_path: Path) -> None:
    spec = trainable.spec_of(store, tmp_path, steps=50, accumulate=2, prompts=2, group=4, examples=1)
    spec = spec.model_copy(update={"budget": StudyBudget(max_rounds=50, max_calls=60)})
    study, job = trainable.begun(store, spec)
    assert trainable.carried_out(store, job).result == {"study_id": study.id, "stop": "calls"}
    study, steps = store.get_study(study.id), store.training_steps(study.id)
    assert study.rounds == len(steps)
    assert 0 < len(steps) <= 6
    view = StudyView(study, store.study_candidates(study.id), [o for _, o in store.study_outcomes(study.id)])
    assert 60 <= view.totals(test=False).calls - 2 * 4 < 60 + 8 + 4
    assert study.test_uses == 1


def test_a_limit_in_the_middle_of_a_step_leaves_the_comparison_to_be_made(store: SqlStore, tmp_path: Path) -> None:
    """The process has drawn and waits for rewards that never come."""
    spec = trainable.spec_of(store, tmp_path, steps=50)
    study, job = trainable.begun(store, spec.model_copy(update={"budget": StudyBudget(max_rounds=50, max_calls=62)}))
    assert (trainable.carried_out(store, job).error, store.get_study(study.id).stop) == ("", "calls")
    study, candidates = store.get_study(study.id), store.study_candidates(study.id)
    assert [c for c in candidates if c.round == study.rounds + 1 and c.operator == DRAWN], "no step was cut short"
    assert [c.operator for c in candidates if c.operator != DRAWN][-8:] == [UNTRAINED] * 4 + [TRAINED] * 4
    assert study.test_uses == 1


def workshop(house: House) -> Workshop:
    """As the method had it, with models that say nothing."""

    async def traces(candidate: int, task: str, repeat: int) -> list[Event]:
        return []

    suite, model = open_suite(house.study.spec.suite, saved=house.store.get_suite), ScriptedLLM(())
    return Workshop(house.view, suite, Counting(model), Counting(model), Toolbox(), traces)


def test_prompts_show_other_tasks_in_turn_and_the_example_as_it_is_written(house: House, inside: None) -> None:
    shop = workshop(house)
    options = LoraOptions(prompts=3, examples=2, grammar=True)
    made = chats(shop, options)
    roles = ["system", "user", "assistant", "user", "assistant", "user"]
    assert [[said.role for said in chat] for chat in made] == [roles] * 3
    tasks = [task.task.objective for task in shop.suite.tasks("train")]
    asked = [[chat[place].content for place in (5, 1, 3)] for chat in made]
    named = [[next(n for n, task in enumerate(tasks) if task in words) for words in chat] for chat in asked]
    assert named == [[0, 1, 2], [3, 0, 1], [2, 3, 0]], "a workflow is wanted for the first, and shown for two others"
    assert all("Write one step a line" in chat[0].content for chat in made)
    assert {chat[place].content for chat in made for place in (2, 4)} == {trainable.LINES[0].strip()}
    (plain,) = chats(shop, LoraOptions(wanted_steps=3))
    assert "Write one step a line" not in plain[0].content
    assert "of 3 steps" in plain[-1].content
    assert "of 3 steps" not in made[0][-1].content
    assert not any(house.study.spec.generator in said.content for chat in made for said in chat)
