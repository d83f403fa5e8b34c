"""The table of diagnostics, part three: what only the whole workflow, or what stood around it, shows."""

from __future__ import annotations

from autoflow.lang.table import END, Entry, Example

ENTRIES = (
    Entry(
        "unknown-target",
        "error",
        "a branch to a step that does not exist",
        (
            "Targets are compared with names as names are with each other. The first twenty get a guess at what "
            "was meant."
        ),
        (
            Example("Start:::process:::Read.:::next::Ende\n" + END, ("unknown-target 1:33-37",)),
            Example(
                "1. Start:::process:::Read.:::next::End\n"
                "End:::decision:::Again?:::yes::Start::no::Stop\n"
                "Stop:::terminal:::Stop.:::\n",
                ("unknown-target 2:32-37",),
            ),
            Example("Ask:::decision:::Is it urgent?:::yes::End, if so::no::Ask\n" + END, ("unknown-target 1:39-49",)),
        ),
    ),
    Entry(
        "endless-loop",
        "error",
        "steps that lead only to each other",
        ("Reachable steps that form a closed loop with no way out. Reported once for each loop, on its first step."),
        (
            Example(
                "Start:::process:::Read.:::next::Again\nAgain:::process:::Read again.:::next::Again\n" + END,
                (
                    "dead-end 1:1-6",
                    "endless-loop 2:1-6",
                    "unreachable 3:1-4",
                ),
            ),
            Example(
                "Ask:::decision:::Is it urgent?:::yes::End::no::Wait\n"
                "Wait:::process:::Wait.:::next::Look\n"
                "Look:::process:::Look.:::next::Wait\n" + END,
                ("endless-loop 2:1-5",),
            ),
        ),
    ),
    Entry(
        "no-terminal",
        "error",
        "no terminal",
        (
            "No run would ever end. Not said where another error explains it: a line or a step that might be the "
            "missing terminal or lead to it."
        ),
        (
            Example("Start:::process:::Read.:::next::Start\n", ("no-terminal 1:1-6",)),
            Example(
                "Ask:::decision:::Is it urgent?:::yes::Ask::no::Wait\nWait:::process:::Wait.:::next::Ask\n",
                ("no-terminal 2:1-5",),
            ),
        ),
    ),
    Entry(
        "dead-end",
        "warning",
        "a step from which no terminal can be reached",
        ("All its ways lead into an endless loop, which is reported as such."),
        (
            Example(
                "Ask:::decision:::Is it urgent?:::yes::End::no::Wait\n"
                "Wait:::process:::Wait.:::next::Loop\n"
                "Loop:::process:::Loop.:::next::Loop\n" + END,
                (
                    "dead-end 2:1-5",
                    "endless-loop 3:1-5",
                ),
            ),
        ),
    ),
    Entry(
        "unreachable",
        "warning",
        "a step that cannot be reached from the first one",
        ("Not said where a reported fault leaves uncertain where a reachable step leads."),
        (
            Example(
                "Start:::process:::Read.:::next::End\nLost:::process:::Write.:::next::End\n" + END,
                ("unreachable 2:1-5",),
            ),
        ),
    ),
    Entry(
        "extracted",
        "information",
        "something around the workflow was taken away",
        (
            "Only `extract` says this, of a model's reply: thinking, code fences, preamble, explanation, list "
            "marks, quotes. It stands where the found workflow begins."
        ),
        (
            Example(
                "Here is the plan:\n1. Start:::process:::Read.:::next::End\n2. " + END,
                ("extracted 1:1-1", "extracted 1:1-1"),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
        ),
        reader="extract",
    ),
)
