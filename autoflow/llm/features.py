"""What one model at one address takes, learned from its answers to real requests, never from a probe.

Every request asks for the strongest form of its constraint and for all that the options name. A refusal (400, 422 ...)
takes back one thing and asks again; what an endpoint took in the end is remembered for this process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from autoflow.llm.base import Capabilities, Choice, Constraint, JsonSchema, Options, Strength
from autoflow.llm.failure import Failure
from autoflow.llm.faults import is_context_overflow
from autoflow.llm.reply import Engine
from autoflow.settings import settings

# How a constraint is sent: `native` llama.cpp's and vLLM's own fields; `schema` response_format with a JSON schema;
# `json` response_format json_object; `prompt` not at all.
Form = Literal["native", "schema", "json", "prompt"]
Kind = Literal["choice", "schema", "grammar"]
_FORMS: dict[Kind, tuple[Form, ...]] = {
    "choice": ("native", "schema", "prompt"),
    "schema": ("schema", "json", "prompt"),
    "grammar": ("native", "prompt"),
}
# Words in a refusal, and the parameter they mean. The order decides where a text names several.
_WORDS: tuple[tuple[str, str], ...] = (
    ("max_completion_tokens", "max_tokens"),
    ("stream_options", "stream_options"),
    ("include_usage", "stream_options"),
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("seed", "seed"),
    ("tool", "tools"),
    ("function call", "tools"),
    ("image", "images"),
    ("stream", "stream"),
)
_CONSTRAINT_WORDS = ("response_format", "json_schema", "json_object", "schema", "grammar", "structured_outputs")
# A refusal is about a parameter as such only where it says so; else its value was wrong, which a person must hear of.
_UNSUPPORTED = (
    "support", "--jinja", "unrecognized", "unknown", "not permitted", "extra", "unexpected", "not allowed",
)  # fmt: skip
_THIS_ONE = ("invalid schema", "invalid grammar", "parse")  # the form is taken, this content of it is not


def kind_of(constraint: Constraint) -> Kind:
    if isinstance(constraint, Choice):
        return "choice"
    return "schema" if isinstance(constraint, JsonSchema) else "grammar"


@dataclass
class Features:
    """Grows as answers come in. `told` is what was known beforehand (an embedded server, say)."""

    told: Capabilities = field(default_factory=Capabilities)
    refused: set[str] = field(default_factory=set)  # parameters, by the names in _WORDS
    steps: dict[tuple[Kind, bool], int] = field(default_factory=dict)  # (kind, with tools) -> steps down from the top
    strengths: dict[Kind, Strength] = field(default_factory=dict)  # what was seen to hold
    engine: Engine | None = None
    tools_seen: bool = False
    lasting: bool = True  # False: a step down was for this one schema's sake, not to be remembered

    def draft(self) -> Features:
        """A copy to try things out on; only what led to an answer is `learn`ed."""
        return Features(
            self.told, set(self.refused), dict(self.steps), dict(self.strengths), self.engine, self.tools_seen
        )

    def learn(self, draft: Features) -> None:
        """Take over what a successful call found out. Others may have learned in between."""
        self.refused |= draft.refused
        for key, step in draft.steps.items() if draft.lasting else ():
            self.steps[key] = max(step, self.steps.get(key, 0))
        self.strengths |= draft.strengths if draft.lasting else {}
        self.engine = draft.engine or self.engine
        self.tools_seen = self.tools_seen or draft.tools_seen

    def form(self, constraint: Constraint, with_tools: bool) -> Form:
        forms = self._forms(kind_of(constraint))
        return forms[min(self.steps.get((kind_of(constraint), with_tools), 0), len(forms) - 1)]

    def weaken(self, constraint: Constraint, with_tools: bool) -> bool:
        """One step down. False: it was at the bottom already."""
        if self.form(constraint, with_tools) == "prompt":
            return False
        key = (kind_of(constraint), with_tools)
        self.steps[key] = self.steps.get(key, 0) + 1
        return True

    def _forms(self, kind: Kind) -> tuple[Form, ...]:
        """The forms worth trying, strongest first."""
        told = {"choice": self.told.choice, "schema": self.told.schema, "grammar": None}[kind]
        if told == "prompt" or (kind == "grammar" and self.told.grammar is False):
            return ("prompt",)
        forms = _FORMS[kind]
        return forms[1:] if kind == "choice" and told == "schema" else forms

    def strength(self, constraint: Constraint, form: Form) -> Strength:
        """What a form is worth at this endpoint: a native field counts only where the engine is known to read it."""
        known = self.engine in ("llama.cpp", "vllm")
        if form == "native":
            told = self.told.grammar is True or self.told.choice == "grammar"
            return "grammar" if known or told else "prompt"
        if form == "schema":
            return "grammar" if known or self.told.schema == "grammar" else "schema"
        return form

    def adapt(self, failure: Failure, options: Options, *, has_images: bool) -> bool:
        """Take back what a refusal complains of. True: there is something new to ask with."""
        if not failure.refusal or is_context_overflow(failure):
            return False
        words = _words(failure)
        plain = failure.status in (400, 422) or _says_unsupported(failure)
        if options.constraint is not None and plain and any(word in words for word in _CONSTRAINT_WORDS):
            self.lasting = self.lasting and not any(word in words for word in _THIS_ONE)
            return self.weaken(options.constraint, bool(options.tools))
        blamed = next((parameter for word, parameter in _WORDS if word in words), None)
        if blamed is not None:
            return _says_unsupported(failure) and self._drop(blamed, _used(options, has_images))
        if failure.status not in (400, 422):
            return False
        weaker = options.constraint is not None and self.weaken(options.constraint, bool(options.tools))
        return weaker or self._drop("stream_options", {"stream_options"})

    def _drop(self, parameter: str, used: set[str]) -> bool:
        """Without tools or images it would be another question: those are the caller's to take back."""
        if parameter in ("tools", "images") or parameter in self.refused or parameter not in used:
            return False
        self.refused.add(parameter)
        return True

    def refuses(self, failure: Failure, options: Options, *, has_images: bool) -> str | None:
        """`tools` or `images`, where the refusal is about them; remembered at once."""
        if not failure.refusal or not _says_unsupported(failure):
            return None
        words = _words(failure)
        named = {parameter for word, parameter in _WORDS if word in words} & {"tools", "images"}
        found = min(named & _used(options, has_images), default=None)
        if found:
            self.refused.add(found)
        return found

    def capabilities(self) -> Capabilities:
        told, refused = self.told, self.refused
        return Capabilities(
            tools=False if "tools" in refused else (told.tools or (True if self.tools_seen else told.tools)),
            choice=self.strengths.get("choice", told.choice),
            schema=self.strengths.get("schema", told.schema),
            grammar=self.strengths["grammar"] == "grammar" if "grammar" in self.strengths else told.grammar,
            images=False if "images" in refused else told.images,
            concurrency=told.concurrency,
        )


def _used(options: Options, has_images: bool) -> set[str]:
    """Parameters a request holds that an endpoint may refuse."""
    held = {
        "temperature": True,
        "stream": True,
        "stream_options": True,
        "top_p": options.top_p is not None,
        "seed": options.seed is not None,
        "max_tokens": options.max_tokens is not None,
        "tools": bool(options.tools),
        "images": has_images,
    }
    return {name for name, there in held.items() if there}


def _words(failure: Failure) -> str:
    return f"{failure.param} {failure.code} {failure.detail[:600]}".lower()


def _says_unsupported(failure: Failure) -> bool:
    """A 404 or 5xx must say so plainly: its words may be about anything."""
    words = _words(failure)
    return any(word in words for word in (_UNSUPPORTED if failure.status in (400, 422) else _UNSUPPORTED[:2]))


_LEARNED: dict[tuple[str, str], Features] = {}


def features_of(base_url: str, model: str) -> Features:
    """What this process has learned of a model at an address; shared by all clients for it."""
    if (base_url, model) not in _LEARNED:
        _LEARNED[base_url, model] = Features(told=Capabilities(concurrency=settings().endpoint_calls))
    return _LEARNED[base_url, model]


def forget_features() -> None:
    """Learn anew: for tests, and for an endpoint that was updated."""
    _LEARNED.clear()
