"""Tools: what a step may call besides the model.

@tool                       a typed Python function becomes a Tool
async with open_toolbox(names) as toolbox: ...
"""

from autoflow.tools.base import Tool, ToolContext
from autoflow.tools.decorator import tool
from autoflow.tools.opening import local_tools, open_toolbox
from autoflow.tools.toolbox import Toolbox, ToolOutcome

__all__ = ["Tool", "ToolContext", "ToolOutcome", "Toolbox", "local_tools", "open_toolbox", "tool"]
