"""What may be set of a method: one field for each of its options, by their type and their rules."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from autoflow.optimize.operators import OPERATORS
from autoflow.optimize.options import METHOD_OPTIONS
from autoflow.records import Json, Record
from autoflow.study import Method

PRESET = "preset"  # the option that gives the others other defaults
HEADS: dict[Method, tuple[str, str]] = {"lora": ("Fine-tuning: how it learns", ":material/school:")}
_USUAL_HEAD = ("Drafts: how they are made", ":material/tune:")
_BIND: dict[str, Any] = {"bind": "query-params"}
_TINY = 1e-9  # nearest to a bound that is not allowed itself
# Names to choose from, where an option is a list of names; others may be typed where they are only usual ones.
_NAMES: dict[str, tuple[str, ...]] = {
    "operators": tuple(OPERATORS),
    "targets": ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
}
_CLOSED = frozenset({"operators"})


def choose(method: Method) -> Json:
    """What differs from what the method does by itself; of a method without options nothing."""
    kind = METHOD_OPTIONS.get(method)
    if kind is None:
        return {}
    words, icon = HEADS.get(method, _USUAL_HEAD)
    with st.expander(words, icon=icon, key=f"search-options-{method}"):
        preset = _preset(method, kind)
        usual = kind.model_validate(preset).model_dump()
        under = f"{method}-{preset[PRESET]}" if preset else method  # another preset begins with its own values
        fields = {n: f for n, f in kind.model_fields.items() if n != PRESET}
        lists = [n for n, f in fields.items() if get_origin(f.annotation) is tuple]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            found = {n: _one(under, n, f, usual[n]) for n, f in fields.items() if n not in lists}
        found |= {n: _names(under, n, fields[n], usual[n]) for n in lists}
    return preset | {n: value for n, value in found.items() if value != usual[n]}


def _preset(method: Method, kind: type[Record]) -> Json:
    """The preset that was chosen; nothing where the method has none, or it is the usual one."""
    field = kind.model_fields.get(PRESET)
    chosen = None if field is None else _choice(method, PRESET, field, field.default)
    return {} if field is None or chosen == field.default else {PRESET: chosen}


def _one(under: str, name: str, field: FieldInfo, usual: Any) -> Any:
    if get_origin(field.annotation) is Literal:
        return _choice(under, name, field, usual)
    if field.annotation is bool:
        return st.checkbox(
            str(field.title), bool(usual), key=f"search-{under}-{name}", help=field.description, width=200, **_BIND
        )
    return _number(under, name, field, usual)


def _choice(under: str, name: str, field: FieldInfo, usual: Any) -> Any:
    choices = list(get_args(field.annotation))
    return st.selectbox(
        str(field.title), choices, choices.index(usual), key=f"search-{under}-{name}", help=field.description,
        width=200, **_BIND,
    )  # fmt: skip


def _number(under: str, name: str, field: FieldInfo, usual: float) -> int | float:
    kind: Any = field.annotation
    step = 1 if kind is int else _step(float(usual))
    found = st.number_input(
        str(field.title), *_bounds(field, kind), kind(usual), step=kind(step),
        format="%g" if step < 0.1 else None, key=f"search-{under}-{name}", help=field.description, width=140, **_BIND,
    )  # fmt: skip
    value: int | float = usual if found is None else kind(found)
    return value


def _step(usual: float) -> float:
    """A tenth, or of a small number as much as its first digit counts."""
    return 0.1 if usual == 0 or abs(usual) >= 0.1 else 10.0 ** math.floor(math.log10(abs(usual)))


def _bounds(field: FieldInfo, kind: Any) -> tuple[Any, Any]:
    """The least and the greatest value that the field takes; None: there is none."""
    inside: Any = 1 if kind is int else _TINY
    least = most = None
    rules: list[Any] = field.metadata
    for rule in rules:
        if isinstance(rule, Ge | Gt):
            least = kind(rule.ge) if isinstance(rule, Ge) else kind(rule.gt + inside)
        elif isinstance(rule, Le | Lt):
            most = kind(rule.le) if isinstance(rule, Le) else kind(rule.lt - inside)
    return least, most


def _names(under: str, name: str, field: FieldInfo, usual: tuple[str, ...]) -> tuple[str, ...]:
    """None chosen: as it is by itself."""
    choices = list(dict.fromkeys((*_NAMES.get(name, ()), *usual)))
    found = st.multiselect(
        str(field.title), choices, list(usual), key=f"search-{under}-{name}", help=field.description,
        accept_new_options=name not in _CLOSED, placeholder="all of them" if not usual else ", ".join(usual), **_BIND,
    )  # fmt: skip
    return tuple(found) or usual
