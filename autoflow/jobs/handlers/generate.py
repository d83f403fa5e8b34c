"""Kind `generate`: have a model write drafts, each durable as soon as it is finished.

Result: {"drafts": [{"index", "text", "diagnostics", "rounds", "totals", "replies", "constrained", "strength", "error",
"stopped"}], "version": number or absent}. A draft that a person stopped holds what was written by then. A single draft
of a workflow is saved as its next version; it becomes the draft on the page only where nobody typed meanwhile.

Live data: {"status": what the model waits for, "drafts": [{"index", "text"}]}, those that are being written.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from autoflow.errors import AutoFlowError, BudgetExceeded, JobError, ModelError
from autoflow.generate.generator import Draft, generate, mend
from autoflow.jobs.context import JobContext, Paused
from autoflow.jobs.handlers.models import opened
from autoflow.jobs.payloads import GeneratePayload, payload_of
from autoflow.llm.base import LLM, ToolSpec
from autoflow.records import Json, Task
from autoflow.tools.opening import open_toolbox

SEEDS_A_DRAFT = 1000  # repair rounds count on from a draft's seed
SHOWN_TEXT = 100_000  # characters of a draft that are shown live


async def handle(context: JobContext) -> Json:
    asked = payload_of(context.job, GeneratePayload)
    work = _Drafts(context, asked)
    try:
        await work.write(await _task(context, asked))
    except asyncio.CancelledError:
        context.partial = work.stopped()
        raise
    if work.waiting:  # also where the pause was taken back since: then the job is queued at once
        raise Paused
    return await work.result()


async def _task(context: JobContext, asked: GeneratePayload) -> Task:
    """Raises JobError: there is nothing to write a workflow for."""
    task = asked.task
    if task is None and asked.workflow_id is not None:
        task = (await asyncio.to_thread(context.store.get_workflow, asked.workflow_id)).task
    if task is not None and task.objective.strip():
        return task
    raise JobError("There is no task to write a workflow for.", "Say what should get done, then generate again.")


class _Writing:
    """A reply under way, in pieces: a long one must not be copied at each of them."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.shown = ""

    def add(self, piece: str) -> None:
        self._pieces.append(piece)
        if len(self.shown) < SHOWN_TEXT:
            self.shown = (self.shown + piece)[:SHOWN_TEXT]

    @property
    def text(self) -> str:
        return "".join(self._pieces)


class _Drafts:
    """The drafts of one job: finished, being written, and still to be written."""

    def __init__(self, context: JobContext, asked: GeneratePayload) -> None:
        self._context = context
        self._asked = asked
        kept = (context.job.result or {}).get("drafts", [])
        self._finished: dict[int, Json] = {draft["index"]: draft for draft in kept if draft["text"].strip()}
        self._writing: dict[int, _Writing] = {}
        self._error: AutoFlowError | None = None
        self.waiting = False  # drafts were not begun, because a pause was wanted

    def missing(self) -> list[int]:
        return [index for index in range(self._asked.drafts) if index not in self._finished]

    async def write(self, task: Task) -> None:
        """Write what is missing, as many at a time as the model takes. Raises: no draft at all could be written."""
        try:
            async with opened(self._context, self._asked.model) as llm, open_toolbox(task.tools) as toolbox:
                room = asyncio.Semaphore(max(1, llm.capabilities.concurrency))
                async with asyncio.TaskGroup() as group:
                    for index in self.missing():
                        group.create_task(self._write_one(index, task, toolbox.specs, llm, room))
        except BaseExceptionGroup as group:  # a task that fails ends the others: one reason is enough
            raise group.exceptions[0] from group
        if self._error is not None and not self._finished:
            raise self._error

    async def _write_one(
        self, index: int, task: Task, tools: tuple[ToolSpec, ...], llm: LLM, room: asyncio.Semaphore
    ) -> None:
        async with room:
            if self._context.paused_wanted:
                self.waiting = True
                return
            asked = self._asked
            self._hear(index, "")
            try:
                draft = await generate(
                    task.objective, task.inputs, tools, llm, constrained=asked.constrained, min_steps=asked.min_steps,
                    max_steps=asked.max_steps, seed=self._seed(index), temperature=asked.temperature,
                    on_token=lambda piece: self._hear(index, piece),
                )  # fmt: skip
            except (ModelError, BudgetExceeded) as error:  # the others may still be written
                self._error = error
                self._writing.pop(index, None)
                return
            self._writing.pop(index, None)
            await self._keep(index, draft)

    def _seed(self, index: int) -> int | None:
        return None if self._asked.seed is None else self._asked.seed + index * SEEDS_A_DRAFT

    def _hear(self, index: int, piece: str) -> None:
        """A piece of a draft's reply; an empty one: it begins anew."""
        if piece:
            self._writing[index].add(piece)
        else:
            self._writing[index] = _Writing()
        self._show()

    def _show(self) -> None:
        self._context.live(drafts=[{"index": i, "text": half.shown} for i, half in sorted(self._writing.items())])

    async def _keep(self, index: int, draft: Draft) -> None:
        self._finished[index] = _told(index, draft)
        await self._context.checkpoint(
            done=len(self._finished), total=self._asked.drafts, unit="drafts", result={"drafts": self._list()}
        )
        if self._writing:
            self._show()

    def _list(self) -> list[Json]:
        return [draft for _, draft in sorted(self._finished.items())]

    def stopped(self) -> Json:
        """What there is, the half-written drafts included: a person who stops keeps what they saw."""
        texts = {i: half.text for i, half in self._writing.items()}
        half = {i: _stopped(i, text) for i, text in texts.items() if text.strip()}
        return {"drafts": [draft for _, draft in sorted({**half, **self._finished}.items())]}

    async def result(self) -> Json:
        drafts = self._list()
        result: Json = {"drafts": drafts}
        if self._asked.drafts == 1 and self._asked.workflow_id and drafts[0]["text"].strip():
            result["version"] = await asyncio.to_thread(self._save, self._asked.workflow_id, drafts[0]["text"])
        return result

    def _save(self, workflow_id: str, text: str) -> int:
        store, revision = self._context.store, self._asked.revision
        if revision is None:
            workflow = store.get_workflow(workflow_id)
            revision = 0 if workflow.text.strip() else workflow.revision  # 0 is no workflow's
        saved = store.save_version(
            workflow_id, origin="generated", text=text, model=self._asked.model, revision=revision,
            job_id=self._context.job.id,
        )  # fmt: skip
        return saved.number


def _told(index: int, draft: Draft) -> Json:
    told: dict[str, Any] = {**asdict(draft), "index": index, "stopped": False}
    return told | {
        "diagnostics": [d.to_json() for d in draft.diagnostics],
        "totals": draft.totals.model_dump(),
        "replies": list(draft.replies),
    }


def _stopped(index: int, reply: str) -> Json:
    read = mend(reply)
    found = [d.to_json() for d in read.diagnostics]
    text = read.text if read.workflow.steps else reply
    return {"index": index, "text": text, "diagnostics": found, "replies": [reply], "stopped": True, "error": ""}
