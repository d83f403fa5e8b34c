"""One loaded model, in a process of its own under the model server; the only file that imports xllamacpp.

A process a model, and not a thread: loading holds the interpreter's lock for seconds (the server could not even say
that it is alive), a fault in native code would take every other model with it, and only the end of a process gives
all memory back.

Started as `python -m autoflow.llm.model_child`. The first line of standard input is the order (JSON: `path`, `context`
tokens a slot, `adapter` or null, `slots`, `threads`, `token`); the first line of standard output is the answer
(`{"url"}` or `{"error"}`). Then it serves until standard input ends, so that it never outlives the server, however
that ended.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

PROMPT_CACHE_MIB = 128  # prompts kept in memory beside those in the slots; llama.cpp would take up to 8 GiB


def main() -> None:
    reply = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # llama.cpp may print: keep the answer's channel clean
    order = json.loads(sys.stdin.readline())
    try:
        server = _load(order)
    except Exception as error:  # whatever the native side raises is the answer
        print(json.dumps({"error": str(error)}), file=reply, flush=True)
        os._exit(1)
    print(json.dumps({"url": server.listening_address}), file=reply, flush=True)
    sys.stdin.read()
    os._exit(0)  # nothing to save; freeing gigabytes first would only take time


def _load(order: dict[str, Any]) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = order["path"]
    if order["adapter"]:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(order["adapter"], 1.0)]
    params.n_ctx = order["context"] * order["slots"]
    params.n_parallel = order["slots"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = order["threads"]
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.api_keys = [order["token"]]
    params.fit_params = False  # what fits was decided by the server; trying it out loads the model twice
    params.ui = params.endpoint_slots = False
    params.verbosity = 1  # errors only
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
