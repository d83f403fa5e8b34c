"""The table of diagnostics, part two: the branches of one line."""

from __future__ import annotations

from autoflow.lang.table import END, Entry, Example

ENTRIES = (
    Entry(
        "branch-separator",
        "warning",
        "something else than `::` between the branches",
        (
            "Either `:::`, or one of `,` `;` `|` behind the name of a step where the whole is no step's name. All "
            "branches are kept. Where five fields or more hold no `::` at all, `:::` was written for it "
            "throughout: `next` and what follows it are read as a branch, the fields of a decision as pairs, as "
            "far as they name steps."
        ),
        (
            Example(
                "Ask:::decision:::Is it urgent?:::yes::End:::no::Ask\n" + END,
                ("branch-separator 1:42-45",),
                "Ask:::decision:::Is it urgent?:::yes::End::no::Ask\n" + END,
            ),
            Example(
                "Ask:::decision:::Is it urgent?:::yes::End, no::Ask\n" + END,
                ("branch-separator 1:42-43",),
                "Ask:::decision:::Is it urgent?:::yes::End::no::Ask\n" + END,
            ),
            Example(
                "Ask:::decision:::Is it urgent?:::yes::End | no, not yet::Ask;\n" + END,
                ("branch-separator 1:43-44",),
                "Ask:::decision:::Is it urgent?:::yes::End::no, not yet::Ask\n" + END,
            ),
            Example(
                "Start:::process:::Read.:::next:::End\n" + END,
                ("branch-separator 1:31-34",),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
            Example(
                "Ask:::decision:::Is it urgent?:::yes:::End:::no:::Ask\n" + END,
                ("branch-separator 1:37-40",),
                "Ask:::decision:::Is it urgent?:::yes::End::no::Ask\n" + END,
            ),
            Example(
                "Start:::process:::Read.:::next::End:::\n" + END,
                ("branch-separator 1:36-39",),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
        ),
    ),
    Entry(
        "missing-key",
        "error",
        "a bare target",
        ("A branch is a pair `key::NAME`; that of a process is called `next`."),
        (
            Example(
                "Start:::process:::Read.:::End\n" + END,
                ("missing-key 1:27-30",),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
            Example("Ask:::decision:::Is it urgent?:::End\n" + END, ("missing-key 1:34-37",)),
            Example("Start:::process:::Read.:::Stop\n" + END, ("missing-key 1:27-31",)),
        ),
    ),
    Entry(
        "empty-branch",
        "error",
        "a branch without a key or without a target",
        ("Each `::` has a key on its left and a target on its right, or the other way round between two branches."),
        (
            Example("Start:::process:::Read.:::next::\n" + END, ("empty-branch 1:31-33",)),
            Example("Start:::process:::Read.::: ::End\n" + END, ("empty-branch 1:28-30",)),
            Example("Start:::process:::Read.:::next::End::\n" + END, ("empty-branch 1:36-38",)),
        ),
    ),
    Entry(
        "odd-branches",
        "error",
        "branches that make no pairs",
        ("An odd number of parts: a key or a target is missing, and it is not certain which."),
        (
            Example("Ask:::decision:::Is it urgent?:::yes::End::no\n" + END, ("odd-branches 1:34-46",)),
            Example("Start:::process:::Read.:::next::Start::End\n" + END, ("odd-branches 1:27-43",)),
        ),
    ),
    Entry(
        "process-branches",
        "error",
        "a process with no branch, several, or one that is not called `next`",
        (
            "A process has one branch, `next::NAME`. A fix is offered where only the key is wrong, or where all "
            "branches lead to the same step."
        ),
        (
            Example("Start:::process:::Read.:::\n" + END, ("process-branches 1:9-16",)),
            Example(
                "Start:::process:::Read.:::then::End\n" + END,
                ("process-branches 1:27-31",),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
            Example("Start:::process:::Read.:::yes::End::no::Start\n" + END, ("process-branches 1:27-46",)),
            Example(
                "Start:::process:::Read.:::yes::End::no::end\n" + END,
                ("process-branches 1:27-44",),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
        ),
    ),
    Entry(
        "decision-branches",
        "error",
        "a decision with fewer than two branches, or a key twice",
        ("Keys are compared as names are."),
        (
            Example("Ask:::decision:::Is it urgent?:::yes::End\n" + END, ("decision-branches 1:34-42",)),
            Example("Ask:::decision:::Is it urgent?:::\n" + END, ("decision-branches 1:7-15",)),
            Example("Ask:::decision:::Is it urgent?:::yes::End::Yes::Ask\n" + END, ("decision-branches 1:44-47",)),
        ),
    ),
    Entry(
        "terminal-branches",
        "error",
        "a terminal with branches",
        ("The run ends at a terminal. What its branches lead to is not looked at."),
        (
            Example(
                "Start:::process:::Read.:::next::End\nEnd:::terminal:::Give the answer.:::next::Start\n",
                ("terminal-branches 2:37-48",),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
        ),
    ),
)
