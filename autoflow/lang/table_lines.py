"""The table of diagnostics, part one: lines and their fields."""

from __future__ import annotations

from autoflow.lang.table import END, Entry, Example

ENTRIES = (
    Entry(
        "no-steps",
        "error",
        "no step at all",
        ("There is no line with `:::`, so there is nothing to run. Nothing else is said about such a text."),
        (
            Example("", ("no-steps 1:1-1",)),
            Example("First read the mail, then answer it.\n", ("no-steps 1:1-37",)),
            Example("# a plan\n\n# nothing yet\n", ("no-steps 1:1-9",)),
        ),
    ),
    Entry(
        "missing-field",
        "error",
        "a line with `:::` and only two fields",
        (
            "A step has at least a name, a type and an instruction. The line is kept as it is, and takes no part "
            "in anything else: branches may name it, and nothing is called unreachable or endless that might only "
            "be so because of it."
        ),
        (
            Example("Start:::process:::Read the mail.:::next::Answer\nAnswer:::terminal\n", ("missing-field 2:1-18",)),
            Example("Note::: this is how it works\n" + END, ("missing-field 1:1-29",)),
            Example("Start:::process:::Read.:::next::End\n:::\n" + END, ("missing-field 2:1-4",)),
        ),
    ),
    Entry(
        "missing-branches",
        "warning",
        "a terminal without the `:::` at its end",
        ("A terminal has no branches, and its line still ends in `:::`. It is read as a terminal all the same."),
        (
            Example("End:::terminal:::Give the answer.\n", ("missing-branches 1:18-34",), END),
            Example(
                "Start:::process:::Ask: who?:::next::End\nEnd:::Terminal:::Then stop:\n",
                ("missing-branches 2:18-28",),
                "Start:::process:::Ask: who?:::next::End\nEnd:::Terminal:::Then stop::::\n",
            ),
        ),
    ),
    Entry(
        "empty-name",
        "error",
        "a step without a name",
        ("Without a name no branch can lead to the step. It is not called unreachable for that."),
        (
            Example(":::process:::Read the mail.:::next::End\n" + END, ("empty-name 1:1-4",)),
            Example(
                "Start:::process:::Read.:::next::End\n : :::process:::Write.:::next::End\n" + END, ("empty-name 2:1-4",)
            ),
        ),
    ),
    Entry(
        "empty-instruction",
        "error",
        "a step without an instruction",
        ("The instruction is what the model is told to do; every step has one."),
        (
            Example("Start:::process::::::next::End\n" + END, ("empty-instruction 1:16-19",)),
            Example("End:::terminal::::::\n", ("empty-instruction 1:15-18",)),
            Example("End:::terminal:::\n", ("empty-instruction 1:15-18",)),
        ),
    ),
    Entry(
        "unknown-type",
        "error",
        "a type that is not `process`, `decision` or `terminal`",
        (
            "Types are written in any case. Where it is clear which type was meant, the branches are checked by "
            "that type, and a fix is offered."
        ),
        (
            Example(
                "Start:::proces:::Read.:::next::End\n" + END,
                ("unknown-type 1:9-15",),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
            Example(
                "Ask:::if:::Is it urgent?:::yes::End::no::Ask\nEnd:::end:::Stop.:::\n",
                (
                    "unknown-type 1:7-9",
                    "unknown-type 2:7-10",
                ),
                "Ask:::decision:::Is it urgent?:::yes::End::no::Ask\nEnd:::terminal:::Stop.:::\n",
            ),
            Example("Start:::magic:::Read.:::next::End\n" + END, ("unknown-type 1:9-14",)),
            Example("Start::::::Read.:::next::End\n" + END, ("unknown-type 1:6-9",)),
        ),
    ),
    Entry(
        "duplicate-name",
        "error",
        "a name used twice",
        (
            "Names are compared without regard to case, Unicode form and the amount of white space. Branches lead "
            "to the first step of a name; the later one is reported, and neither it nor what only it leads to is "
            "called unreachable."
        ),
        (
            Example(
                "Start:::process:::Read.:::next::End\nSTART:::process:::Read again.:::next::End\n" + END,
                ("duplicate-name 2:1-6",),
            ),
        ),
    ),
    Entry(
        "reserved-mark",
        "error",
        "a colon or `#` where it means something else",
        (
            "Names, keys and targets neither begin nor end with `:`; a name does not begin with `#` and holds no "
            "`::`; an instruction does not begin with `:`. Where the mark is only at the edge of a field, the "
            "field is read without it, and a fix is offered."
        ),
        (
            Example(
                "Start::::process:::Read.:::next::End\n" + END,
                ("reserved-mark 1:1-7",),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
            Example(
                "Start:::process::: : Read.:::next::End\n" + END,
                ("reserved-mark 1:20-22",),
                "Start:::process::: Read.:::next::End\n" + END,
            ),
            Example(
                "Start::process:::Read.:::next::End\n" + END,
                ("reserved-mark 1:6-8",),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
            Example("Mail::new:::process:::Read.:::next::End\n" + END, ("reserved-mark 1:1-10",)),
            Example(
                "Ask:::decision:::Is it urgent?:::yes: ::End::no::Ask\n" + END,
                ("reserved-mark 1:37-38",),
                "Ask:::decision:::Is it urgent?:::yes::End::no::Ask\n" + END,
            ),
            Example(
                "Start:::process:::Read.:::next::End:\n" + END,
                ("reserved-mark 1:36-37",),
                "Start:::process:::Read.:::next::End\n" + END,
            ),
        ),
    ),
    Entry(
        "control-character",
        "information",
        "a control character inside a line",
        (
            "Lines end at a line feed or at a carriage return with a line feed only. Other control characters but "
            "the tab, Unicode's line and paragraph separators, byte order marks inside the text and lone "
            "surrogates are read as spaces."
        ),
        (
            Example("End:::terminal:::Give\x0bthe answer.:::\n", ("control-character 1:22-23",), END),
            Example("End:::terminal:::Give\u2028the\x85answer.:::\n", ("control-character 1:22-23",), END),
        ),
    ),
    Entry(
        "prose",
        "information",
        "a line without `:::` that is no comment",
        ("The line is kept as a comment. Begin comments with `#` to say that they are meant as such."),
        (Example("Here is the workflow:\n\n" + END, ("prose 1:1-22",)),),
    ),
    Entry(
        "instruction-separator",
        "warning",
        "`:::` inside an instruction",
        (
            "The branches begin at the first field from the fourth on that holds `::`; what lies before it "
            "belongs to the instruction, joined by `:`."
        ),
        (
            Example(
                "Start:::process:::Read this:::the mail.:::next::End\n" + END,
                ("instruction-separator 1:28-31",),
                "Start:::process:::Read this:the mail.:::next::End\n" + END,
            ),
            Example(
                "End:::terminal:::Say:::the:::answer:::\n",
                ("instruction-separator 1:21-24",),
                "End:::terminal:::Say:the:answer:::\n",
            ),
            Example("End:::terminal:::Give the answer.::::::\n", ("instruction-separator 1:34-37",), END),
        ),
    ),
)
