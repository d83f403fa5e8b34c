"""A training as its study sees it: samples of a step, then what came of their rewards; whatever happens to its process.

The process may die at any moment, and is started again, once in a step: it draws the same from the same checkpoint. It
may be behind the study, where its folder was lost: then the steps that the study holds are gone through again with the
rewards that they had, and nothing is run anew. (Both to the bit on a CPU with as many threads. A GPU may draw
otherwise; then what was not yet run is run, and what was done before cannot be done again.)
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from autoflow.errors import TrainingError
from autoflow.optimize.base import Workshop
from autoflow.optimize.lora_process import Died, Process
from autoflow.optimize.running import Halted
from autoflow.study import TrainingStep
from autoflow.train.talk import Answer, Asked, Compare, Compared, Draw, Drawn, Order, Ready, Rewards, Sampled, Stepped

log = logging.getLogger(__name__)
T = TypeVar("T")
A = TypeVar("A", bound=Answer)


class Training:
    """One training, in a process that is started when it is first needed.

    Args:
        order: for a process that is to go on after so many steps.
    """

    def __init__(self, shop: Workshop, order: Callable[[int], Order]) -> None:
        self._shop, self._order = shop, order
        self._process: Process | None = None
        self._drawn: tuple[Sampled, ...] | None = None  # what the process waits for the rewards of
        self.prompt_tokens = 0

    async def draw(self, step: int) -> tuple[Sampled, ...]:
        """The samples of a step (from 1). Raises TrainingError, Halted; what is under way is not lost by either."""
        return await self._twice(lambda: self._draw(step))

    async def update(self, step: int, samples: Sequence[Sampled], rewards: Sequence[float]) -> Stepped:
        """Learn from them. The checkpoint is on the disk when this returns. Raises TrainingError."""

        async def once() -> Stepped:
            if self._drawn is None:  # the process is another one than drew them
                await self._draw(step)
            if self._drawn != tuple(samples):
                raise TrainingError(
                    f"The process that trains was lost in step {step}, and now draws other samples.",
                    "Resume the study: they are run as well.",
                )
            return await self._reward(rewards)

        return await self._twice(once)

    async def compare(self, count: int, step: int, seed: int) -> Compared:
        """Samples of the base model and of the adapter that was kept at `step`."""

        async def once() -> Compared:
            if self._drawn is not None:  # a limit cut the step short: this process waits for rewards that never come
                await self.aclose()
            process = self._process or await self._started(self._shop.view.study.rounds)
            return await self._answered(process, Compare(count=count, step=step, seed=seed), Compared)

        return await self._twice(once)

    async def aclose(self) -> None:
        """End the process."""
        process, self._process, self._drawn = self._process, None, None
        if process is not None:
            await process.end()

    async def _twice(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await work()
        except Died as died:
            log.warning("the training process ended with status %d; starting another", died.status)
            await self.aclose()
        try:
            return await work()
        except Died as died:
            await self.aclose()
            raise died.told(self._order(0).model) from None

    async def _draw(self, step: int) -> tuple[Sampled, ...]:
        if self._drawn is None:
            process = self._process or await self._caught_up(step - 1)
            self._shop.show(f"Step {step}: drawing {self._order(0).settings.samples} samples")
            self._drawn = (await self._answered(process, Draw(), Drawn)).samples
        return self._drawn

    async def _reward(self, rewards: Sequence[float]) -> Stepped:
        assert self._process is not None
        self._drawn = None
        return await self._answered(self._process, Rewards(rewards=tuple(rewards)), Stepped, pausable=False)

    async def _caught_up(self, step: int) -> Process:
        """A process that has done so many steps."""
        process = await self._started(step)
        if self._at < step:
            for done in await self._shop.trained(self._at):
                if done.step <= step:
                    await self._again(process, done, step)
        return process

    async def _again(self, process: Process, done: TrainingStep, last: int) -> None:
        """Go through a step of the record once more. Raises TrainingError: it cannot be done again."""
        self._shop.show(f"Step {done.step} of {last}: done again, as its checkpoint was lost")
        drawn = await self._answered(process, Draw(), Drawn)
        if [one.text for one in drawn.samples] != [one.text for one in done.samples]:
            raise TrainingError(
                f"The checkpoint of step {last} is lost, and step {done.step} cannot be done again: another device or "
                "another number of threads draws other samples.",
                "Begin another study, or go on where the training was begun.",
            )
        await self._reward([one.reward for one in done.samples])

    async def _started(self, step: int) -> Process:
        self._shop.show(f"Loading {self._order(0).model}")
        self._process = await Process.start(self._order(step), self._shop.view.study.id)
        ready = await self._heard(self._process, Ready)
        self._at, self.prompt_tokens = ready.step, ready.prompt_tokens
        self._shop.show(f"{self._order(0).model} is loaded on {ready.device}")
        return self._process

    async def _answered(self, process: Process, asked: Asked, kind: type[A], *, pausable: bool = True) -> A:
        await process.ask(asked)
        return await self._heard(process, kind, pausable=pausable)

    async def _heard(self, process: Process, kind: type[A], *, pausable: bool = True) -> A:
        """The answer. Where it fails or a pause is wanted, the process has no use any more."""
        try:
            answer = await process.hear(self._shop.pause_wanted if pausable else lambda: False)
        except (Halted, TrainingError):
            await self.aclose()
            raise
        assert isinstance(answer, kind), answer.kind
        return answer
