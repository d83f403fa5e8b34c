"""`autoflow optimize`: a search for a better workflow, here or by a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from autoflow.cli import output
from autoflow.cli.files import read_text
from autoflow.cli.options import Json, Ray, SuiteOption, read_option, read_suite_options
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.optimize.view import StudyView
    from autoflow.records import Job
    from autoflow.store import SqlStore
    from autoflow.study import RewardSpec, Split, Study, StudyBudget, StudySpec

MethodName = Literal["in-context", "paper", "lora"]
Size = Annotated[int | None, typer.Option(min=0, help="Tasks in this split.", show_default="the suite's usual")]


def register(app: typer.Typer) -> None:
    app.command()(optimize)


def optimize(  # long: each option of the command is a parameter
    suite: Annotated[str | None, typer.Option("--suite", metavar="SUITE", help="Its name or id, or a table.")] = None,
    suite_option: SuiteOption = [],  # noqa: B006
    method: Annotated[
        MethodName, typer.Option(help="How workflows are proposed; lora trains the generator.")
    ] = "in-context",
    generator: Annotated[str | None, typer.Option(metavar="MODEL", help="Proposes.", show_default="default")] = None,
    interpreter: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Carries out.", show_default="default")
    ] = None,
    judge: Annotated[str | None, typer.Option(metavar="MODEL", help="Scores, where the suite has a judge.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds at most; of lora, steps.")] = 10,
    max_calls: Annotated[int | None, typer.Option(min=1, help="Model calls, the test's not counted.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Likewise tokens.")] = None,
    max_usd: Annotated[float | None, typer.Option(min=0, help="Likewise US dollars.")] = None,
    max_minutes: Annotated[float | None, typer.Option(min=0.01, help="Of work; pauses do not count.")] = None,
    patience: Annotated[int | None, typer.Option(min=1, help="Rounds without a better one.")] = None,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Runs a task, each with another seed.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the splits and of the search.")] = 0,
    train: Size = None,
    val: Size = None,
    test: Size = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="The manual workflow; - for standard input.")
    ] = None,
    max_steps: Annotated[int, typer.Option(min=1, help="Steps visited, a run.")] = 30,
    answer_tokens: Annotated[int, typer.Option(min=1, help="Completion tokens a call may take.")] = 256,
    option: Annotated[list[str], typer.Option(metavar="NAME=VALUE", help="Of the method.")] = [],  # noqa: B006
    reward: Annotated[
        list[str], typer.Option(metavar="NAME=VALUE", help="A weight of the reward, such as valid=0.1.")
    ] = [],  # noqa: B006
    name: Annotated[str | None, typer.Option(help="What the study is called.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="STUDY", help="Go on with this study instead.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it to a worker.")] = False,
    ray: Ray = None,
    json_: Json = False,
) -> int:
    """Search for a workflow that does better on a suite than the manual one. Exit 1 where the search failed.

    Ctrl-C pauses; `autoflow optimize --resume STUDY` goes on. The sealed test set is opened once, at the end.
    """
    from autoflow.cli.here import refuse_both
    from autoflow.store import open_store

    refuse_both(detach, ray)
    store = open_store()
    if resume is not None:
        study = store.get_study(resume)
    else:
        budget = _budget(rounds, max_calls, max_tokens, max_usd, max_minutes, patience)
        sizes: dict[Split, int | None] = {"train": train, "val": val, "test": test}
        chosen = {split: size for split, size in sizes.items() if size is not None}
        models = (generator, interpreter, judge)
        tasks = (suite, read_suite_options(suite_option), seed, chosen, repeats)
        spec = _spec(store, tasks, method, models, budget, (max_steps, answer_tokens), from_)
        told = {"options": dict(map(read_option, option)), "reward": _reward(reward)}
        study = _begun(store, spec.model_copy(update=told), name)
    return _carry_out(store, study, ray, detach=detach, json_=json_)


def _budget(
    rounds: int, calls: int | None, tokens: int | None, usd: float | None, minutes: float | None, patience: int | None
) -> StudyBudget:
    from autoflow.study import StudyBudget

    seconds = None if minutes is None else minutes * 60
    return StudyBudget(
        max_rounds=rounds, max_calls=calls, max_tokens=tokens, max_cost_usd=usd, max_time_s=seconds, patience=patience
    )


def _reward(weights: list[str]) -> RewardSpec:
    from pydantic import ValidationError

    from autoflow.records import broken_rule
    from autoflow.study import RewardSpec

    given = dict(read_option(weight, "--reward") for weight in weights)
    if unknown := next((name for name in given if name not in RewardSpec.model_fields), None):
        raise SettingsError(
            f"The reward has no weight `{unknown[:80]}`.", f"Weights: {', '.join(RewardSpec.model_fields)}"
        )
    try:
        return RewardSpec.model_validate(given)
    except ValidationError as error:
        name = error.errors()[0]["loc"][0]
        raise SettingsError(f"The weight `{name}` of the reward cannot be used: {broken_rule(error)}.") from error


def _spec(
    store: SqlStore, tasks: tuple[str | None, dict[str, Any], int, dict[Split, int], int], method: MethodName,
    models: tuple[str | None, str | None, str | None], budget: StudyBudget, policy: tuple[int, int], manual: str | None,
) -> StudySpec:  # fmt: skip
    from autoflow.cli.llms import check_model
    from autoflow.records import RunPolicy
    from autoflow.study import StudySpec
    from autoflow.suites.registry import spec_of

    suite, options, seed, sizes, repeats = tasks
    if suite is None:
        raise SettingsError("The tasks are missing.", "Name a suite: --suite openagi-plan")
    generator, interpreter, judge = models
    return StudySpec(
        method=method, suite=spec_of(suite, seed, sizes, options, store=store), generator=check_model(generator),
        interpreter=check_model(interpreter), judge=check_model(judge) if judge else "", budget=budget,
        policy=RunPolicy(max_steps=policy[0], answer_tokens=policy[1]), repeats=repeats, seed=seed,
        baseline=None if manual is None else read_text(manual),
    )  # fmt: skip


def _begun(store: SqlStore, spec: StudySpec, name: str | None) -> Study:
    from autoflow.optimize.start import start_study
    from autoflow.suites.registry import title_of

    return start_study(store, name or f"{title_of(spec.suite, store.get_suite)}, {spec.method}", spec)


def _carry_out(store: SqlStore, study: Study, ray: str | None, *, detach: bool, json_: bool) -> int:
    from autoflow.cli.here import carry_out_here, submitted

    job: Job | None = None
    if study.stop is None or study.best is None:
        job = submitted(store, study.id, f"Optimize {study.name}")
        output.note(f"Study {study.id}")
        if not detach:
            job = carry_out_here(store, job, ray=ray)
            study = store.get_study(study.id)
    told = _told(store, study, job)
    if json_:
        output.emit(told)
    else:
        output.say(_table(told))
    return output.FAILED if job is not None and job.state == "failed" else output.FINE


def _told(store: SqlStore, study: Study, job: Job | None) -> dict[str, Any]:
    from autoflow.optimize.training_view import point_of, told
    from autoflow.optimize.view import StudyView
    from autoflow.statistics import compare

    outcomes = [outcome for _, outcome in store.study_outcomes(study.id)]
    view = StudyView(study, store.study_candidates(study.id), outcomes)
    best = view.best()
    shown = {"best": best, "manual": view.manual, "plain": view.plain}
    scores = {
        label: {"candidate": c.number, "val": view.score(c.number, "val"), "test": view.score(c.number, "test")}
        for label, c in shown.items()
        if c is not None
    }
    found: dict[str, Any] = _trained(study, view) | {
        "study": study.id, "state": job.state if job else "done", "error": job.error if job else "",
        "stop": study.stop, "rounds": study.rounds, "candidates": len(view.candidates), "scores": scores,
        "usage": view.totals().model_dump(), "text": best.text if best else "",
    }  # fmt: skip
    if study.spec.method == "lora":
        points = [point_of(step) for step in store.training_steps(study.id)]
        found["training"] = told(points, ended=study.stop is not None)
    for label in ("manual", "plain"):
        other = shown[label]
        if best is None or other is None or other.number == best.number or not view.complete(best.number, "test"):
            continue
        test = compare(view.task_scores(other.number, "test"), view.task_scores(best.number, "test"))
        d = test.difference
        found[f"above_{label}"] = {"mean": d.mean, "low": d.low, "high": d.high, "p": test.p, "tasks": test.tasks}
    return found


def _trained(study: Study, view: StudyView) -> dict[str, Any]:
    """What a training made, and what that is good for; empty where the generator was not trained."""
    from autoflow.optimize.lora import model_of
    from autoflow.optimize.lora_compare import gain

    if study.spec.method != "lora":
        return {}
    told: dict[str, Any] = {"model": model_of(study.spec, study.id), "gain": None}
    if found := gain(view):
        d = found.difference.difference
        told["gain"] = {
            "base": found.base.score.mean, "trained": found.trained.score.mean, "samples": found.base.samples,
            "base_runnable": found.base.runnable, "trained_runnable": found.trained.runnable,
            "mean": d.mean, "low": d.low, "high": d.high, "p": found.difference.p,
        }  # fmt: skip
    return told


def _table(told: dict[str, Any]) -> str:
    lines = [f"study       {told['study']} ({told['state']})"]
    lines += [f"stopped     {told['stop'] or 'not yet'} after {output.plural(told['rounds'], 'round')}"]
    if step := told.get("training"):
        lines.append(f"last step   {step['step']}: {step['words']}")
        lines += [f"ended early {step['ending']}"] if step["ending"] else [f"note        {s}" for s in step["signs"]]
    for label, score in told["scores"].items():
        lines.append(f"{label:<11} validation {_score(score['val'])}, test {_score(score['test'])}"
                     f"  (candidate {score['candidate']})")  # fmt: skip
    for label in ("manual", "plain"):
        if d := told.get(f"above_{label}"):
            lines.append(f"best above {label}: {d['mean']:+.3f} on the test, 95 % interval "
                         f"{d['low']:+.3f} to {d['high']:+.3f}, {d['tasks']} tasks")  # fmt: skip
    if "model" in told:
        lines.append(f"model       {told['model'] or 'none: no step has earned more than the base model yet'}")
    if g := told.get("gain"):
        each = f"{g['trained']:.3f} on the test, the base model {g['base']:.3f} ({g['samples']} workflows each)"
        lines.append(f"trained     {each}; {g['mean']:+.3f}, 95 % interval {g['low']:+.3f} to {g['high']:+.3f}")
    if told["error"]:
        lines.append(f"error       {told['error']}")
    lines.append(f"Adopt it: autoflow adopt {told['study']}")
    return "\n".join(lines)


def _score(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
