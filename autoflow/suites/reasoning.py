"""Suite `reasoning`: puzzles that the package reasoning-gym makes by seed, scored by its own verifiers.

Options: {"generators": [names]} or {"generators": {name: {setting: value}}}; without it `DEFAULT`: four generators
whose tasks fall apart into small steps. One of these that is only named has its settings from there too. Each
generator deals about the same number of tasks to every split.

The score is what a generator's verifier gives: 1 for a right answer, with many of them something in between for one
that is partly right, and up to 0.05 for one that is merely there. A verifier takes an answer by the letter, so two
readings are tried and the better one counts: the whole answer, and what it marks as its result (`<answer>` tags,
`\\boxed{}`, what follows the last "answer:" or "answer is"), else its last line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import random
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from autoflow.errors import SettingsError
from autoflow.metrics.base import Score
from autoflow.metrics.kinds import near
from autoflow.records import Json, Task
from autoflow.study import SPLITS, Split, SuiteSpec
from autoflow.suites.base import SuiteTask, plain_prompt, split_tasks

DEFAULT: Mapping[str, Json] = {
    "chain_sum": {"min_terms": 2, "max_terms": 4, "min_digits": 1, "max_digits": 3},
    "leg_counting": {"min_animals": 2, "max_animals": 4, "max_instances": 6},
    "letter_counting": {"min_words": 3, "max_words": 6},
    "word_sorting": {"min_words": 3, "max_words": 5, "max_word_length": 8},
}
_RUNS = "its verifier runs an answer as a program"
_ENDLESS = "a short answer can keep its verifier busy without end"
_CHANGES = "it deals other tasks in every process"
LEFT_OUT: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "binary_matrix", "countdown", "intermediate_integration", "n_queens", "polynomial_multiplication",
            "puzzle24", "simple_integration", "spiral_matrix", "string_insertion",
        ),
        _RUNS,
    ),
    **dict.fromkeys(("coin_flip", "propositional_logic", "rubiks_cube"), _ENDLESS),
    **dict.fromkeys(
        ("codeio", "isomorphic_strings", "knight_swap", "list_functions", "ransom_note", "word_ladder"), _CHANGES
    ),
    "bf": "it writes to standard output",
    "number_sequence": "some of its tasks take ten seconds to make",
    "composite": "it only mixes others",
}  # fmt: skip
LONGEST_ANSWER = 20_000  # characters that a verifier is given
TRIES = 20  # tasks that are made for each one that is needed, where a generator repeats itself
_MARKED = re.compile(r"<answer>(?P<tag>.*?)</answer>|\\boxed\{(?P<box>[^{}]*)\}", re.DOTALL | re.IGNORECASE)
_SAID = re.compile(r"\banswer[*_]*\s*(?:is\b|[:=])[\s:=*_]*", re.IGNORECASE)
_DECORATION = "*_`\"'“”$ \t\r\n"


@dataclasses.dataclass(frozen=True, slots=True)
class Generator:
    """What can be chosen."""

    name: str
    topic: str  # arithmetic, logic, graphs ...
    defaults: Json  # its settings that are numbers, texts, yes or no


def generators() -> tuple[Generator, ...]:
    """All that can be chosen, by name. Takes 2 s the first time."""
    return tuple(
        Generator(name, maker.__module__.split(".")[1], _defaults(settings))
        for name, (maker, settings) in sorted(_datasets().items())
        if name not in LEFT_OUT
    )


class ReasoningSuite:
    """Tasks of the generators that a spec names; the same in every process, and in no two splits.

    Raises SettingsError: an unknown generator or setting, or one that has not so many different tasks.
    """

    name = "reasoning"
    baseline = ""
    plain = plain_prompt("Work out what the objective asks. Give the answer only, in the form that it asks for.")
    tools: Sequence[str] = ()
    vocabulary: Sequence[str] = ()

    def __init__(self, spec: SuiteSpec) -> None:
        chosen = json.dumps(_chosen(spec.options), sort_keys=True)
        sizes = tuple(spec.sizes[split] for split in SPLITS)
        self._makers, self._splits = _dealt(chosen, spec.seed, sizes)

    def tasks(self, split: Split) -> Sequence[SuiteTask]:
        return self._splits[split]

    def expected(self, task: SuiteTask) -> str:
        return str(task.expected["answer"] or "")

    async def score(self, task: SuiteTask, answer: str) -> Score:
        [generator] = task.tags
        maker, entry = self._makers[generator], task.expected
        value = max(_verified(maker, reading, entry) for reading in readings(answer))
        return Score(value, {"exact": float(value >= 1)}, self.expected(task))


def readings(answer: str) -> tuple[str, ...]:
    """The whole answer, and what it marks as its result."""
    whole = answer.strip()[:LONGEST_ANSWER]
    marked = [found["tag"] or found["box"] or "" for found in _MARKED.finditer(whole)]
    if marked:
        result = marked[-1]
    else:
        said = list(_SAID.finditer(whole))
        result = whole[said[-1].end() :] if said else ""
    result = result if result.strip() else whole.rpartition("\n")[2]
    return tuple(dict.fromkeys((whole, result.strip(_DECORATION).removesuffix(".").strip(_DECORATION))))


def _verified(maker: Any, answer: str, entry: Json) -> float:
    """A verifier that stumbles over an answer has not found it right."""
    try:
        return min(1.0, max(0.0, float(maker.score_answer(answer, entry))))
    except Exception:  # of any kind: verifiers expect well-formed answers
        return 0.0


def _chosen(options: Json) -> dict[str, Json]:
    """Generators with their settings. Raises SettingsError: the options have another form."""
    for name in options:
        if name != "generators":
            raise SettingsError(f"The suite `reasoning` has no option `{name}`.", near(name, ["generators"]))
    found = options.get("generators") or DEFAULT
    if isinstance(found, list | tuple) and all(isinstance(name, str) for name in found):
        found = {name: DEFAULT.get(name, {}) for name in found}
    if not isinstance(found, Mapping) or not all(isinstance(settings, Mapping) for settings in found.values()):
        raise SettingsError("`generators` is a list of names, or an object of names with their settings.")
    return {name: dict(settings) for name, settings in found.items()}


@lru_cache(maxsize=16)
def _dealt(
    chosen: str, seed: int, sizes: tuple[int, ...]
) -> tuple[Mapping[str, Any], Mapping[Split, tuple[SuiteTask, ...]]]:
    """The generators, and the splits. Kept, as pages open a suite again and again."""
    settings: dict[str, Json] = json.loads(chosen)
    total, tasks, makers = sum(sizes), [], {}
    for at, (name, config) in enumerate(settings.items()):
        count = total // len(settings) + (at < total % len(settings))
        makers[name] = _maker(name, config, seed, max(1, count * TRIES))
        tasks += _tasks(name, makers[name], count)
    return makers, split_tasks(tasks, dict(zip(SPLITS, sizes, strict=True)), seed, stratum=lambda task: task.tags)


def _tasks(name: str, maker: Any, count: int) -> list[SuiteTask]:
    """The first `count` different ones. Raises SettingsError: there are fewer."""
    found: dict[str, SuiteTask] = {}
    for number in itertools.takewhile(lambda _: len(found) < count, range(count * TRIES)):
        entry = maker[number]
        question = entry["question"].strip()
        mark = hashlib.sha256(question.encode()).hexdigest()[:10]  # same id, same task, whatever the seed
        task = Task(id=f"{name}-{mark}", objective=question)
        found.setdefault(question, SuiteTask(task.id, task, (name,), entry))
    if len(found) < count:
        raise SettingsError(
            f"The generator `{name}` has {len(found)} different tasks here, but {count} are asked for.",
            "Ask for fewer tasks, name more generators, or give it wider settings.",
        )
    return list(found.values())


def _maker(name: str, config: Json, seed: int, size: int) -> Any:
    """A generator of reasoning-gym. Raises SettingsError: there is none, or it does not take these settings."""
    known = {n: pair for n, pair in _datasets().items() if n not in LEFT_OUT}
    if name in LEFT_OUT:
        raise SettingsError(f"The generator `{name}` cannot be chosen: {LEFT_OUT[name]}.", "Choose another one.")
    if name not in known:
        raise SettingsError(f"There is no generator `{name}`.", near(name, known))
    maker, settings = known[name]
    fields = {field.name for field in dataclasses.fields(settings)} - {"seed", "size"}
    for setting in config:
        if setting not in fields:
            raise SettingsError(f"The generator `{name}` has no setting `{setting}`.", near(setting, sorted(fields)))
    own_seed = random.Random(f"{seed} {name}").getrandbits(31)  # noqa: S311  (a task's own is this plus its number)
    try:
        return maker(settings(**config, seed=own_seed, size=size))
    except (AssertionError, TypeError, ValueError, KeyError) as error:
        raise SettingsError(f"The generator `{name}` does not take these settings: {error}.", "Correct them.") from None


def _datasets() -> Mapping[str, tuple[Any, Any]]:
    import reasoning_gym  # noqa: F401  (registers all generators; 2 s)
    from reasoning_gym.factory import DATASETS

    found: Mapping[str, tuple[Any, Any]] = DATASETS
    return found


def _defaults(settings: Any) -> Json:
    shown = {field.name: field.default for field in dataclasses.fields(settings) if field.name not in ("seed", "size")}
    return {name: value for name, value in shown.items() if type(value) in (int, float, bool, str)}
