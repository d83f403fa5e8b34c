"""Opening the suite `openagi` as its options say.

data       a folder in the official layout; empty: the project's own sample
provider   `hub` or `offline`; empty: the hub where it answers
samples    of a task, at most
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from autoflow.errors import SettingsError
from autoflow.llm.base import LLM
from autoflow.records import Record, broken_rule
from autoflow.study import SuiteSpec
from autoflow.suites.openagi_layout import check_root, read_samples
from autoflow.suites.openagi_run import HUB, OFFLINE, OpenAGISuite, Samples
from autoflow.suites.openagi_sample import own_samples
from autoflow.tools.openagi.experts import OpenAGIExperts
from autoflow.tools.openagi.shelf import Shelf

_SHELF = Shelf()  # one a process: models are shared by all suites that are opened


class OpenAGIOptions(Record):
    """See the module."""

    data: str = ""
    provider: Literal["", "hub", "offline"] = ""
    samples: int = Field(default=8, ge=1, le=10_000)


def open_openagi(spec: SuiteSpec, llm: LLM | None = None) -> OpenAGISuite:
    """The suite.

    Args:
        llm: what offline tools ask that are a language model; without it, tasks that need them are left out.
    Raises SettingsError: an option means nothing, the folder of data cannot be used, too few tasks are left.
    """
    options = _options(spec)
    experts = OpenAGIExperts(options.provider or None, llm=llm, shelf=_SHELF)
    metrics = HUB if experts.provider == "hub" else OFFLINE
    return OpenAGISuite(experts, metrics, _samples(options), sizes=spec.sizes, seed=spec.seed)


def settled(spec: SuiteSpec) -> SuiteSpec:
    """The same with its provider written down: what is measured tomorrow, or on another machine, is then measured by
    the same tools and metrics. Raises SettingsError: an option means nothing."""
    options = _options(spec)
    provider = options.provider or OpenAGIExperts().provider
    data = str(Path(options.data).expanduser().absolute()) if options.data else ""
    told = {**spec.options, "provider": provider, **({"data": data} if data else {})}
    return spec.model_copy(update={"options": told})


def _options(spec: SuiteSpec) -> OpenAGIOptions:
    try:
        return OpenAGIOptions.model_validate(spec.options)
    except ValidationError as error:
        raise SettingsError(f"The options of the suite openagi cannot be used: {broken_rule(error)}") from error


def _samples(options: OpenAGIOptions) -> Samples:
    if not options.data:
        return lambda task: own_samples(task)[: options.samples]
    root = Path(options.data).expanduser()
    check_root(root)
    return partial(read_samples, root, most=options.samples)
