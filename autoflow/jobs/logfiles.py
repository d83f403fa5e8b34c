"""Where a worker writes its log: `AUTOFLOW_HOME/logs/NAME.log`, in turn with three older ones."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from autoflow.settings import settings
from autoflow.store.faults import fault

MAX_BYTES = 5_000_000
OLDER = 3
KEPT_WORKERS = 20  # logs of workers that were started by hand, each under a name of its own
_QUIET = (  # below a warning they only tell what is known
    "httpx", "httpx2", "httpcore", "httpcore2", "openai", "asyncio", "alembic",
)  # fmt: skip


def log_to_file(name: str, *, echo: bool) -> Path:
    """Send all logging of this process to its file, and with `echo` to standard error as well.

    Returns the path. Raises StorageUnavailable.
    """
    folder = settings().logs
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _drop_old(folder)
        file = RotatingFileHandler(folder / f"{name}.log", maxBytes=MAX_BYTES, backupCount=OLDER, encoding="utf-8")
    except OSError as error:
        raise fault("folder", str(folder), error.strerror or str(error)) from error
    level = getattr(logging, settings().log_level.upper(), logging.INFO)
    form = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    root = logging.getLogger()
    root.setLevel(level)
    for handler in (file, logging.StreamHandler(sys.stderr))[: 1 + echo]:
        handler.setFormatter(form)
        root.addHandler(handler)
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
    return folder / f"{name}.log"


def _drop_old(folder: Path) -> None:
    by_age = sorted(folder.glob("worker-*.log*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_age[KEPT_WORKERS:]:
        path.unlink(missing_ok=True)
