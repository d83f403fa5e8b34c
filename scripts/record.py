"""Record the worked examples with the default model, so that pictures and demonstrations need no model.

Writes `assets/recordings/NAME.jsonl`, one an example. Run it again after a change of the prompts: a replay does not
answer what was never asked.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autoflow.examples import Example, list_examples  # noqa: E402
from autoflow.interpret import interpret  # noqa: E402
from autoflow.lang import parse_strict  # noqa: E402
from autoflow.llm.registry import open_llm  # noqa: E402
from autoflow.llm.replay import Recorder  # noqa: E402
from autoflow.records import Event, RunPolicy, Task  # noqa: E402
from autoflow.settings import settings  # noqa: E402
from autoflow.tools import open_toolbox  # noqa: E402

FOLDER = ROOT / "assets" / "recordings"


class _Silent:
    """An observer that only says where the run is."""

    def live(self, event: Event) -> None:
        if event.kind == "step_entered":
            print(f"  {event.visit} {event.data['step']}", flush=True)

    async def step_done(self, events: object) -> None:
        pass

    def should_pause(self) -> bool:
        return False

    def aborted(self, events: object) -> None:
        pass


async def record(example: Example) -> None:
    path = FOLDER / f"{example.slug}.jsonl"
    path.unlink(missing_ok=True)
    llm = Recorder(open_llm(settings().default_model, cache=False), path)
    task = Task(id="tk_000000000000", objective=example.objective, inputs=example.inputs, tools=example.tools)
    files = {i.sha256: (example.folder / str(i.filename)).read_bytes() for i in example.inputs if i.sha256}
    began = time.monotonic()
    async with open_toolbox(example.tools) as toolbox:
        result = await interpret(
            parse_strict(example.text), task, llm, toolbox, policy=RunPolicy(), observer=_Silent(),
            read_file=lambda sha: files[sha],
        )  # fmt: skip
    await llm.aclose()
    print(f"{example.title}: {result.stop}, {time.monotonic() - began:.0f} s\n{result.answer}\n{result.error}")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for example in list_examples():
        if len(sys.argv) < 2 or example.slug in sys.argv[1:]:
            asyncio.run(record(example))


if __name__ == "__main__":
    main()
