"""How the interpreter reads what models write: as everybody else does."""

from autoflow.llm.reply_text import as_text, json_field, json_object, repeats_itself, unfenced, visible

__all__ = ["as_text", "json_field", "json_object", "repeats_itself", "unfenced", "visible"]
