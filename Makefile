# Installs what it needs (tools/install.py) and then runs it; nothing has to be there but Python >= 3.11, git and Node.
PYTHON ?= python3
INSTALL := $(PYTHON) tools/install.py
BIN := .venv/bin

include tools/pins.env
# Where the tests and the demo find the real client that tools/install.py puts there.
export ASKFIRST_CLAUDE_CODE := $(CURDIR)/.cache/npm/$(CLAUDE_CODE)/node_modules/.bin/claude
export ASKFIRST_CLAUDE_CODE_OLDEST := $(CURDIR)/.cache/npm/$(CLAUDE_CODE_OLDEST)/node_modules/.bin/claude

# uv, also when tests call it, trusts the certificates that the system trusts.
export UV_SYSTEM_CERTS := true

.DEFAULT_GOAL := help
.PHONY: help demo test check soak bench bench-guards lint fmt outdated

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 8

demo: ## a real coding agent is stopped, a person decides, the log proves it (AUTO=1: a headless browser clicks)
	@$(INSTALL) environment $(if $(shell command -v npm 2>/dev/null),claude-code) $(if $(AUTO),chromium)
	@$(BIN)/askfirst demo $(if $(AUTO),--auto)

test: ## all tests
	@$(INSTALL) environment claude-code claude-code-oldest chromium postgresql dovecot strace openssl mcp-inspector mcp-conformance webhook-examples \
		codex gemini opencode qwen copilot cline
	$(BIN)/pytest --numprocesses=auto --dist=worksteal $(ARGS)

# Folders whose tests are all slow: loading them takes seconds, in each process.
SLOW := tests/e2e tests/packaging tests/reliability

check: ## the quick tests, under a minute
	@$(INSTALL) environment
	$(BIN)/pytest --quiet -m "not slow and not soak" --numprocesses=auto $(SLOW:%=--ignore=%) $(ARGS)

soak: ## the long forms of the tests of reliability: tens of thousands of decisions under kill -9
	@$(INSTALL) environment postgresql strace
	$(BIN)/pytest -m soak --timeout=3600 -rP $(ARGS)

bench: ## the benchmarks, ratios in one run
	@$(INSTALL) environment
	@for each in benchmarks/*.py; do echo "== $$each"; $(BIN)/python $$each || exit 1; done

bench-guards: ## guards of other projects beside ours, on the same commands; writes docs/benchmarks.*
	@$(INSTALL) environment
	cd benchmarks && ../$(BIN)/python -m guards $(ARGS)

lint: ## formatting, lint, types, direction of imports
	@$(INSTALL) environment
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/mypy tools
	$(BIN)/lint-imports

outdated: ## which pinned clients npm serves newer releases of
	@$(PYTHON) tools/outdated.py

fmt: ## format, and mend what ruff can mend
	@$(INSTALL) environment
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
