"""What is compared: two texts and a setting, as the address says, and the study that holds their outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from autoflow.errors import NotFound
from autoflow.report.comparisons import REFS, Setting, find_comparison
from autoflow.report.load import load_view
from autoflow.report.sides import OF_SUITE, PLAIN_REF, Text, text_of
from autoflow.study import SPLITS, Split, Study, SuiteSpec
from pages.ui import services
from pages.ui.compare import suites

MOST_REPEATS = 20
MADE = ("generated", "optimized")  # origins of versions that a model wrote


@dataclass(frozen=True, slots=True)
class Source:
    """Where the outcomes of both are: two candidates of a study."""

    study: Study
    a: int
    b: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """All that the page is about. `source` is None where nothing was run yet."""

    a: Text
    b: Text
    setting: Setting
    source: Source | None


def chosen() -> Chosen | None:
    """What the address names; else the manual and the generated version of the workflow worked on last.

    None: there is nothing to compare yet. Raises NotFound: it names what is none.
    """
    named = services.query_id("study", "st")
    study = services.store().get_study(named) if named else None
    refs = _refs(study) or _usual_pair()
    if refs is None:
        return None
    of_store = [text_of(services.store(), ref) if ref not in OF_SUITE else None for ref in refs]
    home = study or _common_study(*of_store)
    setting = _setting(home, of_store)
    a, b = (text or _of_suite(setting.suite, ref) for text, ref in zip(of_store, refs, strict=True))
    return Chosen(a, b, setting, _source(a, b, setting, home))


def _of_suite(spec: SuiteSpec, ref: str) -> Text:
    """What the suite brings; where it has no manual workflow, its plain prompt."""
    brought = suites.brought(spec)
    if not brought:
        raise NotFound(f"The suite {spec.name} is not there any more.", "Choose another, or versions of a workflow.")
    return brought.get(ref) or brought[PLAIN_REF]


def put(shown: Chosen, **changed: str) -> None:
    """Write what is chosen into the address, with what has just changed."""
    setting, key = shown.setting, suite_key(shown)
    values = {
        "a": shown.a.ref, "b": shown.b.ref, "suite": key, "split": setting.split, "model": setting.model,
        "repeats": str(setting.repeats), "judge": setting.judge,
    }  # fmt: skip
    if "suite" not in changed:  # another suite comes with sizes of its own
        values |= suites.differing(setting.suite, key)
    st.query_params.from_dict({name: value for name, value in {**values, **changed}.items() if value})


def suite_key(shown: Chosen) -> str:
    """The suite's key; of one that is not offered any more, the study on show, which then has it."""
    return suites.key_of(shown.setting.suite) or (shown.source.study.id if shown.source else suites.BUILT_IN)


def _refs(study: Study | None) -> tuple[str, str] | None:
    """A and B as the address names them: in full, or by number where it names a study."""
    given = {name: st.query_params.get(name, "") for name in ("a", "b")}
    if study is None:
        if not any(given.values()):
            return None
        if not all(given.values()):
            raise NotFound("The address of this page names only one of two texts.", "Open it from Home instead.")
        return given["a"], given["b"]
    first, second = _own(study)
    return _full(study, given["a"] or first), _full(study, given["b"] or second)


def _own(study: Study) -> tuple[str, str]:
    """The two that a study is about: those it compares, or its first candidate and its best."""
    if study.spec.method == "evaluate":
        return "0", "1"
    count = len(services.store().study_candidates(study.id))
    return "0", str(study.best if study.best is not None else max(0, count - 1))


def _full(study: Study, word: str) -> str:
    """`7` of a study is `st_...:7`; of a comparison, what was given to it, where that can still be found."""
    if not word.isdecimal():
        return word
    refs = study.spec.options.get(REFS)
    if isinstance(refs, list) and len(word) < 9 and int(word) < len(refs):
        try:
            return text_of(services.store(), str(refs[int(word)])).ref
        except NotFound:
            pass
    return f"{study.id}:{word}"


def _usual_pair() -> tuple[str, str] | None:
    """What a person wrote against what a model made of it; else the first and the latest; else the plain prompt."""
    single = None
    for workflow in services.store().list_workflows(limit=20):
        versions = services.store().list_versions(workflow.id)  # latest first
        if len(versions) > 1:
            b = next((v for v in versions[:-1] if v.origin in MADE), versions[0])
            a = next((v for v in reversed(versions) if v.origin not in MADE and v != b), versions[-1])
            return f"{workflow.id}:{a.number}", f"{workflow.id}:{b.number}"
        if versions and single is None:
            single = PLAIN_REF, f"{workflow.id}:1"
    return single


def _common_study(a: Text | None, b: Text | None) -> Study | None:
    if a is None or b is None or not a.study_id or a.study_id != b.study_id:
        return None
    return services.store().get_study(a.study_id)


def _setting(home: Study | None, texts: Sequence[Text | None]) -> Setting:
    """That of the study, or the usual one, with what the address says otherwise."""
    usual = Setting.of(home, _split_of(home, texts)) if home else _usual()
    query: Mapping[str, str] = st.query_params
    split, repeats, model = query.get("split", ""), query.get("repeats", ""), query.get("model", "")
    suite = suites.spec_of(query.get("suite", "")) or usual.suite
    changed: dict[str, object] = {"suite": suites.sized(suite, query), "judge": _judge(suite, usual, query)}
    if split in SPLITS:
        changed["split"] = split
    if model in services.model_names():
        changed["model"] = model
    if repeats.isdecimal() and 0 < len(repeats) < 3 and 1 <= int(repeats) <= MOST_REPEATS:
        changed["repeats"] = int(repeats)
    return usual.model_copy(update=changed)


def _judge(suite: SuiteSpec, usual: Setting, query: Mapping[str, str]) -> str:
    """The model that scores, where the suite has no scorer of its own."""
    if not suites.judged(suite):
        return usual.judge if suite.options == usual.suite.options else ""
    asked = query.get("judge", "")
    return asked if asked in services.model_names() else usual.judge or services.default_model()


def _split_of(home: Study, texts: Sequence[Text | None]) -> Split:
    """Of a search the sealed test, which alone says how good a workflow is, where both were scored on it."""
    if home.spec.method == "evaluate":
        return home.spec.split
    tested = (t is not None and t.study_id == home.id and _complete(home, t.number, "test") for t in texts)
    return "test" if home.stop is not None and all(tested) else "val"


def _usual() -> Setting:
    spec = suites.spec_of(suites.BUILT_IN)
    assert spec is not None
    return Setting(suite=spec, model=services.default_model())


def _source(a: Text, b: Text, setting: Setting, home: Study | None) -> Source | None:
    """The study on show where it has all outcomes, else a comparison of these two, else what the study has."""
    own = _inside(a, b, setting, home) if home else None
    if own and (_on_its_way(own.study) or all(_complete(own.study, n, setting.split) for n in (own.a, own.b))):
        return own
    found = find_comparison(services.store(), a, b, setting)
    return Source(*found) if found else own


def _inside(a: Text, b: Text, setting: Setting, home: Study) -> Source | None:
    """Their numbers in the study, if it was run with this setting and has both."""
    if Setting.of(home, setting.split) != setting:
        return None
    if home.spec.method == "evaluate" and home.spec.split != setting.split:
        return None
    texts = [candidate.text for candidate in services.store().study_candidates(home.id)]
    numbers = [
        text.number if text.study_id == home.id else texts.index(text.text) if text.text in texts else None
        for text in (a, b)
    ]
    return None if None in numbers else Source(home, int(numbers[0] or 0), int(numbers[1] or 0))


def _on_its_way(study: Study) -> bool:
    """A comparison that has all its outcomes, or will have them."""
    return study.spec.method == "evaluate" and study.stop in (None, "evaluated")


@st.cache_data(max_entries=500, ttl=60, show_spinner=False, hash_funcs={Study: lambda s: (s.id, s.stop, s.rounds)})
def _complete(study: Study, number: int, split: Split) -> bool:
    """Whether a candidate has all its outcomes. Counting them takes seconds where they are many."""
    return load_view(services.store(), study.id, only=(number,)).complete(number, split)
