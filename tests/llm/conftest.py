"""A server that does what a test tells it, and models that ask it without real waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
QUICK = Timeouts(connect_s=5.0, first_s=0.3, stall_s=0.3, total_s=10.0)
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
def chat(server: Server, waits: list[float]) -> OpenChat:
    """Opens a model at the server; retries are counted in `waits` instead of slept through."""

    async def note(seconds: float) -> None:
        waits.append(seconds)

    def open_(**given: Any) -> OpenAIChat:
        fields: dict[str, Any] = {
            "base_url": server.url,
            "api_key": "sk-secret-0123456789",
            "retry": RetryPolicy(sleep=note),
            "timeouts": QUICK,
        }
        return OpenAIChat(given.pop("model", "gpt-test"), **(fields | given))

    return open_
