"""The command line's own log file: what it does in the place of a worker, and its own faults."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def log_file() -> Iterator[Path]:
    """Log to `AUTOFLOW_HOME/logs/cli.log` for the length of the block. Raises StorageUnavailable, SettingsError."""
    from autoflow.jobs.logfiles import log_to_file

    root = logging.getLogger()
    before = list(root.handlers)
    try:
        yield log_to_file("cli", echo=False)
    finally:
        for handler in [h for h in root.handlers if h not in before]:
            root.removeHandler(handler)
            handler.close()
