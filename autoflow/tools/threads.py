"""Blocking functions of tools, each in a thread of its own that cannot keep the program from ending."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from autoflow.errors import ToolFailed

T = TypeVar("T")


async def in_thread(function: Callable[[], T], name: str) -> T:
    """The function's result. A thread pool will not do: tools that hang would use it up and block the exit.

    Raises: what the function raises; ToolFailed where it tried to end the program.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return  # given up in the meantime
        if error is None:
            future.set_result(result)  # type: ignore[arg-type]
        elif isinstance(error, Exception) and not isinstance(error, StopIteration):
            future.set_exception(error)
        else:
            future.set_exception(ToolFailed(f"The tool `{name}` raised {type(error).__name__}: {error}."))

    def work() -> None:
        result, problem = None, None
        try:
            result = context.run(function)
        except BaseException as error:
            problem = error
        with suppress(RuntimeError):  # the loop was closed in the meantime: nobody waits any more
            loop.call_soon_threadsafe(settle, result, problem)

    threading.Thread(target=work, name=f"tool {name}", daemon=True).start()
    return await future
