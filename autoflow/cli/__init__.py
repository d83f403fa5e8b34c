"""The command line: everything the pages do, without a browser.

Exit codes: 0 fine; 1 the workflow has errors, the run did not reach a terminal, or what was asked could not be done;
2 usage: an argument, a file or a setting that cannot be used; 130 stopped by Ctrl-C; 141 the reader of a pipe left.
"""

from __future__ import annotations

from collections.abc import Sequence

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. No exception leaves it."""
    try:
        from autoflow.cli.app import run_command  # typer takes 40 ms: not paid by `import autoflow.cli`

        return run_command(argv)
    except KeyboardInterrupt:  # Ctrl-C while the commands are loaded: there is nothing to tell yet
        return INTERRUPTED
