"""`local:NAME`: a causal language model of transformers, in this process: what is trained here can be asked here.

`open_local` gives the backend, `load.load_model` the weights themselves, as training needs them. Only the files of this
folder know transformers and peft; torch is imported when a model is loaded, never before.

Left out: requests do not join a batch that is under way, and nothing of a prompt is kept for the next one.
"""

from autoflow.llm.local.backend import LocalLLM as LocalLLM
from autoflow.llm.local.backend import open_local as open_local
from autoflow.llm.local.names import adapter_folder as adapter_folder
