"""Models around a model: each adds one thing, and is an `LLM` itself.

`open_llm` gives `Metered(Cached(Limited(backend)))`; whoever has a limit to keep puts `Budgeted` around that.
"""

from autoflow.llm.wrappers.base import Wrapper
from autoflow.llm.wrappers.budget import Budgeted
from autoflow.llm.wrappers.cache import Cached
from autoflow.llm.wrappers.limit import Limited
from autoflow.llm.wrappers.meter import Metered

__all__ = ["Budgeted", "Cached", "Limited", "Metered", "Wrapper"]
