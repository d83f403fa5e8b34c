"""Every fault of an endpoint, as it looks on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autoflow.llm.base import Image, JsonSchema, Options, ToolSpec
from tests.llm.server import Answer, Json, chunk, error, hang_up, raw, refusing, says, silent, stream, whole, words

KEY = "sk-secret-0123456789"
MEGABYTES = 10_000_000


@dataclass(frozen=True)
class Fault:
    """One way to fail. Without `error` an answer comes through in the end."""

    title: str
    answers: tuple[Answer, ...] = ()
    error: str = ""  # name of the class of the error
    text: str = "fine"  # of the answer that comes through
    options: Options = field(default_factory=Options)
    images: tuple[Image, ...] = ()
    key: str | None = KEY
    base_url: str | None = None  # default: the scripted server
    first_s: float = 30.0  # time limits of the client: short ones only where they are the point
    stall_s: float = 30.0
    busy_s: float = 0.0  # for so long the first of `answers` is given, then the second


def ends(pieces: Sequence[Json]) -> Answer:
    """A stream that ends as it should."""
    return stream([*pieces, chunk({}, finish="stop")])


def message(content: Any) -> Answer:
    """An answer that is not streamed."""
    return whole({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]})


def unsupported(word: str) -> Answer:
    """An endpoint that refuses a request as soon as a word is anywhere in its body."""
    refusal = error(400, f"Unsupported parameter: '{word}' is not supported with this model.", param=word)

    def has(body: Json) -> bool:
        return word in str({k: v for k, v in body.items() if k != "messages"})

    return refusing(has, refusal, says("fine"))


TOOL = ToolSpec("add", "Adds two numbers.", {"type": "object", "properties": {}})
SCHEMA = JsonSchema(
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
)
PICTURE = Image("image/png", b"x")
BIG = "".join(f"{n}, " for n in range(1_300_000))[:MEGABYTES]
BIG_PIECES = [chunk({"content": BIG[i : i + 50_000]}) for i in range(0, MEGABYTES, 50_000)]
LONG_LINE = raw(200, b"data: " + b"x" * (2 * MEGABYTES), content_type="text/event-stream")
HTML = raw(200, b"<!doctype html><title>Welcome to the router</title>", content_type="text/html")
LIST = raw(200, b'["fine"]', content_type="application/json")
NEW_NAME = error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", param="max_tokens")
OLD_NAME_REFUSED = refusing(lambda body: "max_tokens" in body, NEW_NAME, says("fine"))
NO_IMAGES = error(400, "This model does not support image_url content.")
TOO_LONG = error(400, "Too long.", code="context_length_exceeded")
NO_CREDIT = error(429, "No credit.", code="insufficient_quota")
BUSY = error(429, "Rate limit reached for requests.")
BUSY_25 = error(429, "Rate limit reached for requests.", retry_after="25")
BUSY_HOUR = error(429, "Rate limit reached for requests.", retry_after="3600")
CUT = stream(words("half an ans"), done=False)
ABORTED = stream(words("half an ans"), done=False, chunked=True, abort=True)
STALLED = stream(words("half an ans"), done=False, hang=True)
HALF_EVENT = stream([*words("half"), '{"choices": [{"del'])
ERROR_EVENT = stream([*words("half"), {"error": {"message": "CUDA error"}}])
THINKING = stream([chunk({"reasoning_content": "Hm."}, finish="length")])
FILTERED = stream([chunk({"content": ""}, finish="content_filter")])
REFUSED = stream([chunk({"refusal": "I will not do that."}, finish="stop")])
HALF_JSON = says('{"a": ', finish="length")

FAULTS = (
    Fault("nothing listens at the address", error="ModelUnavailable", base_url="http://localhost:{free}/v1"),
    Fault("unknown host", error="ModelUnavailable", base_url="http://models.example.invalid/v1"),
    Fault("`https://` for a server without TLS", error="ModelUnavailable", base_url="https://localhost:{port}/v1"),
    Fault("certificate that nobody vouches for", error="ModelUnavailable", base_url="tls"),
    Fault("the server hangs up without a word", (hang_up(),), "ModelUnavailable"),
    Fault("the server hangs up once", (hang_up(), says("fine"))),
    Fault("accepts, and never answers", (silent(),), "ModelUnavailable", first_s=0.3),
    Fault("401, wrong key", (error(401, f"Incorrect API key provided: {KEY}."),), "ModelAuthError"),
    Fault("401, no key", (error(401, "Missing bearer."),), "ModelAuthError", key=None),
    Fault("403", (error(403, "Your project has no access."),), "ModelAuthError"),
    Fault("404, no such model", (error(404, "The model does not exist."),), "ModelNotFound"),
    Fault("400, the request is refused", (error(400, "n must be 1."),), "ModelRequestError"),
    Fault("400, the prompt is too long", (TOO_LONG,), "ModelRequestError"),
    Fault("413, the request is too large", (error(413, "Payload too large."),), "ModelRequestError"),
    Fault("400, unsupported `response_format`", (unsupported("json_schema"),), options=Options(constraint=SCHEMA)),
    Fault("400, unsupported `temperature`", (unsupported("temperature"),)),
    Fault("400, unsupported `max_tokens`", (OLD_NAME_REFUSED,), options=Options(max_tokens=9)),
    Fault("400, unsupported `seed`", (unsupported("seed"),), options=Options(seed=1)),
    Fault("400, unsupported `stream_options`", (unsupported("stream_options"),)),
    Fault("400, tools are unsupported", (unsupported("tools"),), "ToolsUnsupported", options=Options(tools=(TOOL,))),
    Fault("400, images are unsupported", (NO_IMAGES,), "ModelRequestError", images=(PICTURE,)),
    Fault("408, then fine", (error(408), says("fine"))),
    Fault("409, then fine", (error(409), says("fine"))),
    Fault("429 for a minute, with `Retry-After`", (BUSY_25, says("fine")), busy_s=60),
    Fault("429 for a minute, without `Retry-After`", (BUSY, says("fine")), busy_s=60),
    Fault("429 for ever", (BUSY,), "ModelRateLimited"),
    Fault("429, asks to wait an hour", (BUSY_HOUR,), "ModelRateLimited"),
    Fault("429, no credit left", (NO_CREDIT,), "ModelRateLimited"),
    Fault("500, then fine", (error(500), says("fine"))),
    Fault("503 for ever", (error(503, "Overloaded."),), "ModelUnavailable"),
    Fault("stream cut in the middle, once", (CUT, says("fine"))),
    Fault("stream cut in the middle, always", (CUT,), "ModelReplyError"),
    Fault("connection lost in the middle, always", (ABORTED,), "ModelReplyError"),
    Fault("stream that stalls, once", (STALLED, says("fine")), stall_s=1.0),
    Fault("stream that stalls, always", (STALLED,), "ModelReplyError", stall_s=0.3),
    Fault("stream with half a JSON in it", (HALF_EVENT,), "ModelReplyError"),
    Fault("stream with an error in it", (ERROR_EVENT,), "ModelUnavailable"),
    Fault("longer than the time limit", (STALLED,), "ModelReplyError", options=Options(timeout_s=1.0)),
    Fault("empty content", (says(""),), "ModelReplyError"),
    Fault("null content", (message(None),), "ModelReplyError"),
    Fault("nothing but thinking", (THINKING,), "ModelReplyError"),
    Fault("withheld by a content filter", (FILTERED,), "ModelReplyError"),
    Fault("refused by the model", (REFUSED,), "ModelReplyError"),
    Fault("reply of 10 MB, streamed", (ends(BIG_PIECES),), "ModelReplyError"),
    Fault("reply of 10 MB, whole", (message(BIG),), "ModelReplyError"),
    Fault("a line of the stream without end", (LONG_LINE,), "ModelReplyError"),
    Fault("endless repetition", (ends(words("and so on " * 2000)),), "ModelReplyError"),
    Fault("a web page instead of an answer", (HTML,), "ModelUnavailable"),
    Fault("JSON of the wrong shape", (LIST,), "ModelUnavailable"),
    Fault("choices of the wrong shape", (whole({"choices": "fine"}),), "ModelReplyError"),
    Fault("usage missing", (says("fine", usage=None),)),
    Fault("does not stream although asked to", (message("fine"),)),
    Fault("half a JSON at the limit of tokens", (HALF_JSON,), text='{"a": ', options=Options(constraint=SCHEMA)),
)
