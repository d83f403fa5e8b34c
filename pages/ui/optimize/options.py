"""What may be set of a method: one field for each of its options, by their type and their rules."""

from __future__ import annotations

from typing import Any

import streamlit as st
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from autoflow.optimize.operators import OPERATORS
from autoflow.optimize.options import METHOD_OPTIONS
from autoflow.records import Json
from autoflow.study import Method

_BIND: dict[str, Any] = {"bind": "query-params"}


def choose(method: Method) -> Json:
    """What differs from what the method does by itself."""
    fields = METHOD_OPTIONS[method].model_fields
    with st.expander("Drafts: how they are made", icon=":material/tune:", key=f"search-options-{method}"):
        with st.container(horizontal=True):
            numbers = {n: _number(method, n, f) for n, f in fields.items() if f.annotation in (int, float)}
        names = {n: _names(method, n, f) for n, f in fields.items() if f.annotation not in (int, float)}
    return {n: value for n, value in (numbers | names).items() if value not in (fields[n].default, [])}


def _number(method: Method, name: str, field: FieldInfo) -> int | float:
    kind: Any = field.annotation
    least = next(kind(rule.ge) for rule in field.metadata if isinstance(rule, Ge))
    most = next((kind(rule.le) for rule in field.metadata if isinstance(rule, Le)), None)
    found = st.number_input(
        str(field.title), least, most, kind(field.default), step=kind(1) if kind is int else 0.1,
        key=f"search-{method}-{name}", help=field.description, width=140, **_BIND,
    )  # fmt: skip
    value: int | float = field.default if found is None else kind(found)
    return value


def _names(method: Method, name: str, field: FieldInfo) -> list[str]:
    return st.multiselect(
        str(field.title), list(OPERATORS), key=f"search-{method}-{name}", help=field.description,
        placeholder="all of them", **_BIND,
    )  # fmt: skip
