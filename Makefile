# AutoFlow's commands. `make help` lists them.
# Everything runs in `.venv`, which is made on first use and made anew when the requirements change.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PORT   ?= 8501
SMOKE  := tests/test_house.py

.DEFAULT_GOAL := help
.PHONY: help setup run demo test check bench evidence screenshots docs clean

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with everything that is needed (first time: about 2.8 GB on disk).

$(READY): requirements.txt requirements-dev.txt requirements-ray.txt constraints.txt scripts/setup.py
	@$(PYTHON) scripts/setup.py $(VENV)

run: $(READY) ## Serve the app on localhost (PORT=8501).
	@$(BIN)/python -m autoflow.cli serve --port $(PORT)

demo: $(READY) ## Open what was recorded, on a folder of its own (PORT=8501).
	@$(BIN)/python scripts/demo.py $(PORT)

test: $(READY) ## Run all tests; downloads SmolLM2 (98 MB) and, where no browser is found, Chromium.
	@$(BIN)/python scripts/browser.py
	@$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

check: $(READY) ## Formatting, lint, types, import rules.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY) ## Measure what docs/performance.md states; prints Markdown.
	@for f in bench/[a-z]*.py; do case $$f in bench/evidence_*) ;; *) echo "== $$f"; $(BIN)/python $$f || exit 1;; esac; done

evidence: $(READY) ## Long proofs with real models; stopped and started again at will.
	@for f in bench/evidence_*.py; do echo "== $$f"; $(BIN)/python $$f || exit 1; done

screenshots: $(READY) ## Make the pictures of docs/ from the running app.
	@$(BIN)/python scripts/browser.py
	@$(BIN)/python scripts/screenshots.py

docs: $(READY) ## Make the generated pages of docs/ anew.
	@$(BIN)/python -m autoflow.lang.catalogue > docs/diagnostics.md
	@$(BIN)/python -m autoflow.store.faults > docs/errors-storage.md
	@$(BIN)/python -m autoflow.suites.openagi_page > docs/openagi-tasks.md
	@for m in llm.faults llm.file_faults tools.faults; do $(BIN)/python -m tests.$$m; done

clean: ## Remove .venv and caches (not your data).
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
