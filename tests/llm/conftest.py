"""A server that does what a test tells it, and models that ask it without real waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import hypothesis
import pytest

from autoflow.llm.base import Message
from autoflow.llm.features import forget_features
from autoflow.llm.openai_chat import OpenAIChat, Timeouts
from autoflow.llm.retry import RetryPolicy
from tests.llm.server import Server

hypothesis.settings.register_profile("llm", deadline=None)  # a loaded machine is no failure
hypothesis.settings.load_profile("llm")
PATIENT = Timeouts(first_s=30.0, stall_s=30.0, total_s=60.0)  # a loaded machine is no failure
ASK = [Message("user", "Say something.")]
OpenChat = Callable[..., OpenAIChat]


@pytest.fixture(scope="session")
def running_server() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running_server: Server) -> Server:
    """Nothing of what an earlier test taught is remembered."""
    forget_features()
    return running_server


@pytest.fixture
def waits() -> list[float]:
    """How long retries would have waited."""
    return []


@pytest.fixture
async def chat(server: Server, waits: list[float]) -> AsyncIterator[OpenChat]:
    """Opens a model at the server; retries are counted in `waits` instead of slept through."""

    async def note(seconds: float) -> None:
        waits.append(seconds)

    def open_(**given: Any) -> OpenAIChat:
        fields: dict[str, Any] = {
            "base_url": server.url,
            "api_key": "sk-secret-0123456789",
            "retry": RetryPolicy(sleep=note),
            "timeouts": PATIENT,
        }
        opened.append(OpenAIChat(given.pop("model", "gpt-test"), **(fields | given)))
        return opened[-1]

    opened: list[OpenAIChat] = []
    yield open_
    for llm in opened:
        await llm.aclose()
