"""AutoFlow: author, run and self-improve workflows for LLM agents, written as natural-language programs in CoRE."""

__version__ = "0.1.0"
