"""Every error that AutoFlow raises on purpose, as one tree.

    AutoFlowError
    |-- WorkflowError           the text has error diagnostics (raised by `lang.parse_strict`)
    |-- ModelError              a model could not answer
    |   |-- ModelUnavailable    no connection, unknown host, TLS, time-out, 5xx that did not pass
    |   |-- ModelAuthError      key missing or refused (401, 403)
    |   |-- ModelNotFound       no such model, endpoint or model file
    |   |-- ModelRateLimited    429 that did not pass
    |   |-- ModelRequestError   the endpoint refused the request itself (400, 413, 422)
    |   |   `-- ToolsUnsupported  the model takes no tools natively: ask again without `Options.tools`
    |   |-- ModelReplyError     the answer cannot be used: cut, stalled, empty, too large
    |   `-- ReplayMiss          a replay met a prompt that was never recorded
    |-- BudgetExceeded          a limit of calls, tokens, dollars or seconds was reached
    |-- ToolError               a tool could not be used
    |   |-- UnknownTool
    |   |-- ToolArgumentError   arguments do not fit the tool's schema
    |   |-- ToolTimeout
    |   `-- ToolFailed          the tool itself raised
    |       `-- ToolNotLoaded   the model that does its work cannot be loaded or reached
    |-- DownloadError           a model file could not be had
    |   |-- HashMismatch
    |   `-- SourcesUnreachable  neither hub nor packages answered
    |-- StoreError              the data folder or the database cannot be used
    |   |-- NotFound
    |   |-- Conflict            somebody else saved in between
    |   |-- NewerDatabase       written by a newer version of AutoFlow
    |   `-- StorageUnavailable  read-only, full, or locked
    |-- JobError
    |   `-- LeaseLost           another worker has taken the job
    |-- TrainingError           a fine-tuning cannot begin or go on
    `-- SettingsError           a setting or an argument breaks its rule

A message says what happened, with the user's own names in it; `hint` says what to do about it.
"""

from __future__ import annotations


class AutoFlowError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: what happened, in a sentence with the user's own names.
        hint: what to do about it, or "" where the message says it all.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class WorkflowError(AutoFlowError):
    """The workflow has error diagnostics."""


class ModelError(AutoFlowError):
    """A model could not answer."""


class ModelUnavailable(ModelError):
    """The endpoint cannot be reached, or keeps failing."""


class ModelAuthError(ModelError):
    """The key is missing or was refused."""


class ModelNotFound(ModelError):
    """No such model, endpoint or model file."""


class ModelRateLimited(ModelError):
    """The endpoint kept asking to slow down until patience ran out."""


# Errors of a model, not of what it was asked.
GONE = (ModelUnavailable, ModelAuthError, ModelNotFound, ModelRateLimited)


class ModelRequestError(ModelError):
    """The endpoint refused the request itself."""


class ToolsUnsupported(ModelRequestError):
    """The model takes no tools natively: ask again without `Options.tools`. `capabilities.tools` is False by then."""


class ModelReplyError(ModelError):
    """The answer cannot be used: cut, stalled, empty or too large. `partial` is the text that did arrive."""

    def __init__(self, message: str, hint: str = "", partial: str = "") -> None:
        super().__init__(message, hint)
        self.partial = partial


class ReplayMiss(ModelError):
    """A replay met a prompt that was never recorded; it never falls through to the network."""


class BudgetExceeded(AutoFlowError):
    """A limit was reached; `limit` is the stop reason (`max-calls`, `max-tokens`, `max-cost`, `max-time`)."""

    def __init__(self, limit: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.limit = limit


class ToolError(AutoFlowError):
    """A tool could not be used."""


class UnknownTool(ToolError):
    """The model called a tool that does not exist."""


class ToolArgumentError(ToolError):
    """The arguments do not fit the tool's schema."""


class ToolTimeout(ToolError):
    """The tool did not return within its time limit."""


class ToolFailed(ToolError):
    """The tool itself raised."""


class ToolNotLoaded(ToolFailed):
    """The model that does its work cannot be loaded or reached: nothing about what the tool was given."""


class DownloadError(AutoFlowError):
    """A model file could not be had."""


class HashMismatch(DownloadError):
    """What was downloaded is not what the catalogue names."""


class SourcesUnreachable(DownloadError):
    """Neither hub nor packages answered."""


class StoreError(AutoFlowError):
    """The data folder or the database cannot be used."""


class NotFound(StoreError):
    """No record bears this id."""


class Conflict(StoreError):
    """Somebody else saved in between; nothing of either side is lost."""


class NewerDatabase(StoreError):
    """The database was written by a newer version of AutoFlow."""


class StorageUnavailable(StoreError):
    """The data folder is read-only, full or locked."""


class JobError(AutoFlowError):
    """A job cannot be carried on."""


class LeaseLost(JobError):
    """Another worker has taken this job; stop without writing anything."""


class TrainingError(AutoFlowError):
    """A fine-tuning cannot begin or go on."""


class SettingsError(AutoFlowError):
    """A setting or an argument breaks its rule."""
