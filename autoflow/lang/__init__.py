"""CoRE, the language of workflows: reading, checking, mending, writing. Pure: it knows no file, model or screen.

result = parse(text)            what could be read, and what was found
workflow = parse_strict(text)   or WorkflowSyntaxError, which renders every error
text = format(workflow)         the canonical text
"""

from autoflow.lang.checker import check
from autoflow.lang.diagnostics import Diagnostic, Edit, ParseResult, Severity, has_errors
from autoflow.lang.fixes import apply_edits, fix_all
from autoflow.lang.formatter import canonical, format_workflow
from autoflow.lang.names import nearest
from autoflow.lang.parser import WorkflowSyntaxError, parse, parse_strict
from autoflow.lang.render import render
from autoflow.lang.workflow import STEP_TYPES, Branch, Comment, Step, StepType, Workflow, fold

format = format_workflow

__all__ = [
    "STEP_TYPES", "Branch", "Comment", "Diagnostic", "Edit", "ParseResult", "Severity", "Step", "StepType", "Workflow",
    "WorkflowSyntaxError", "apply_edits", "canonical", "check", "fix_all", "fold", "format", "format_workflow",
    "has_errors", "nearest", "parse", "parse_strict", "render",
]  # fmt: skip
