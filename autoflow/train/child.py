"""A training in a process of its own: loading and training hold the interpreter's lock for seconds, and only the end
of a process gives all memory back.

Started as `python -m autoflow.train.child`; `talk` says what is said on standard input and output. It ends the moment
that standard input does, so that it never outlives whoever started it, and goes on from its folder when it is started
again. Only one works in a folder at a time.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import torch

from autoflow.errors import AutoFlowError, TrainingError
from autoflow.llm.base import Grammar, Message
from autoflow.llm.flock import FileLock
from autoflow.llm.local.faults import is_out_of_memory
from autoflow.llm.local.load import Loaded, load_model
from autoflow.llm.local.row import prompt_tokens
from autoflow.train.best import best_folder
from autoflow.train.checkpoint import load_adapter
from autoflow.train.folders import step_folder
from autoflow.train.grammatical import Grammatical
from autoflow.train.policy import Policy
from autoflow.train.sampling import sample
from autoflow.train.standing import go_back, keep_before
from autoflow.train.state import collapse
from autoflow.train.step import Work
from autoflow.train.talk import (
    ASKED,
    Answer,
    Asked,
    Compare,
    Compared,
    Draw,
    Drawn,
    Failed,
    Order,
    Ready,
    Rewards,
    Sampled,
    Stepped,
    holdable,
)
from autoflow.train.trainer import Trainer

LOCK_S = 30.0  # for which the one that worked in the folder before may still be ending


class Line:
    """The two ends of the talk."""

    def __init__(self, ears: TextIO, mouth: TextIO) -> None:
        self._ears, self._mouth = ears, mouth
        self._heard: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._ears:
            self._heard.put(line)
        os._exit(0)  # nobody is there any more: what is under way is done again

    def order(self) -> Order:
        return Order.model_validate_json(self._heard.get())

    def hear(self) -> Asked:
        return ASKED.validate_json(self._heard.get())

    def say(self, answer: Answer) -> None:
        self._mouth.write(answer.model_dump_json() + "\n")
        self._mouth.flush()


class Child:
    """One training. Raises AutoFlowError: it cannot be taken up."""

    def __init__(self, line: Line, order: Order) -> None:
        self._line, self._order = line, order
        self._folder = Path(order.folder)
        self._lock = _locked(self._folder)
        if order.threads:
            torch.set_num_threads(order.threads)
        self._loaded = load_model(order.model)
        go_back(self._folder, order.step)
        settings = order.settings
        prompts = [_prompt(self._loaded, order, number) for number in range(len(order.prompts))]
        policy = Policy(
            self._loaded.model, settings.adapter, seed=settings.seed, checkpointing=settings.checkpointing,
            half=settings.half,
        )  # fmt: skip
        given = order.grammar
        grammar = None if given is None else Grammatical(Grammar(given.gbnf, given.lark), self._loaded)
        self._lengths: list[int] = []  # of what was decoded since it was last asked for
        self._work = Work(prompts, self._reward, self._decode, self._loaded.ends, grammar)
        self._trainer = Trainer(policy, self._work, settings, self._folder)
        longest = max(map(len, prompts))
        line.say(Ready(step=self._trainer.state.step, device=self._loaded.device, prompt_tokens=longest))

    def serve(self) -> None:
        """For as long as somebody asks."""
        while True:
            asked = self._line.hear()
            if isinstance(asked, Draw):
                self._line.say(self._step())
            elif isinstance(asked, Compare):
                self._line.say(self._compare(asked))
            else:
                raise AssertionError("rewards of nothing")

    def _step(self) -> Stepped:
        keep_before(self._folder, self._trainer.state.step)
        result = self._trainer.step()
        ending = collapse(self._order.settings, self._trainer.state, result.figures)
        return Stepped(figures=result.figures, samples=tuple(result.samples), ending=ending or "")

    def _reward(self, texts: Sequence[str]) -> Sequence[float]:
        self._line.say(Drawn(samples=self._sampled(texts)))
        told = self._line.hear()
        assert isinstance(told, Rewards), "rewards must follow on what was drawn"
        return told.rewards

    def _decode(self, tokens: Sequence[int]) -> str:
        self._lengths.append(len(tokens))
        text = self._loaded.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return holdable(str(text))

    def _sampled(self, texts: Sequence[str]) -> tuple[Sampled, ...]:
        """What was just decoded, without its end: one that ended by itself has fewer tokens than may be."""
        limit, lengths = self._order.settings.sampling.max_new_tokens, self._lengths
        self._lengths = []
        return tuple(
            Sampled(text=text, tokens=length + (length < limit), ended=length < limit)
            for text, length in zip(texts, lengths, strict=True)
        )

    def _compare(self, asked: Compare) -> Compared:
        """The weights in training are left for those of the adapter: no step can follow."""
        policy = self._trainer.policy
        load_adapter(step_folder(best_folder(self._folder), asked.step), policy)
        with policy.base():
            base = self._drawn(asked)
        return Compared(base=base, trained=self._drawn(asked))

    def _drawn(self, asked: Compare) -> tuple[Sampled, ...]:
        policy, work = self._trainer.policy, self._work
        samples = sample(
            policy, [work.prompts[0]], group=asked.count, settings=self._order.settings.sampling, ends=work.ends,
            generator=torch.Generator(policy.device).manual_seed(asked.seed), constraint=work.constraint,
        )  # fmt: skip
        rows = range(len(samples))
        return self._sampled([work.decode([t for t in samples.tokens(row) if t not in work.ends]) for row in rows])


def _locked(folder: Path) -> FileLock:
    lock, until = FileLock(folder / "lock"), time.monotonic() + LOCK_S
    try:
        while not lock.try_acquire():
            if time.monotonic() > until:
                raise TrainingError(f"Another process trains in {folder}.", "Wait for it to end, or end it.")
            time.sleep(0.1)
    except OSError as error:
        raise TrainingError(f"The folder {folder} cannot be written: {error}.", "Look at its disk.") from error
    return lock


def _prompt(loaded: Loaded, order: Order, number: int) -> list[int]:
    """Raises ModelRequestError, TrainingError: it is too long."""
    tokens = prompt_tokens(loaded, [Message(said.role, said.content) for said in order.prompts[number]])
    room = loaded.context - len(tokens)
    if room < order.settings.sampling.max_new_tokens:
        raise TrainingError(
            f"The prompt has {len(tokens):,} tokens, which leaves {room:,} of the {loaded.context:,} that "
            f"{order.model} can read, and {order.settings.sampling.max_new_tokens:,} are to be drawn.",
            "Draw fewer tokens, or show fewer tasks in the prompt.",
        )
    return tokens


def failed(error: BaseException, model: str) -> Failed:
    """In words, whatever happened."""
    if isinstance(error, AutoFlowError):
        return Failed(message=error.message, hint=error.hint)
    if is_out_of_memory(error):
        return Failed(
            message=f"The memory did not suffice to train {model}.",
            hint="Draw fewer samples or tokens in a step, let fewer pass together, or take a smaller model.",
        )
    words = " ".join((str(error).strip().splitlines() or [""])[0].split())[:300]
    return Failed(message=f"The training of {model} broke off with {type(error).__name__}: {words}.")


def main() -> None:
    mouth = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries may print: keep the answers' channel clean
    line = Line(sys.stdin, mouth)
    order = line.order()
    try:
        Child(line, order).serve()
    except BaseException as error:
        traceback.print_exc()
        line.say(failed(error, order.model))
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
