# SPDX-License-Identifier: Apache-2.0
# Needs GNU make, a POSIX shell and Python 3.11 or later. `make help` lists the targets.
# All paths are relative, so the checkout may lie in a folder with spaces in its name.

VENV  ?= .venv
PY    := $(VENV)/bin/python
DEMO  := $(VENV)/.demo-installed
DEV   := $(VENV)/.dev-installed

OLLAMA_VERSION := v0.11.4
OLLAMA_MINUTES ?= 40
GOBIN          := $(CURDIR)/.ollama/bin

PAGE        := src/lao/server/static/index.html
WEB_SOURCES := $(shell find web -name node_modules -prune -o -type f -print 2>/dev/null)
NODE_CHECK  := const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)

# pip takes what the lock names, checks every hash, and resolves nothing.
PIP_INSTALL  := $(PY) -m pip install --quiet --disable-pip-version-check
LOCKED       := $(PIP_INSTALL) --require-hashes --no-deps -r
INSTALL_SELF := $(PIP_INSTALL) --no-deps --no-build-isolation --no-index -e .

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format types layers web web-test check bench bench-quick build ollama lock clean

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

demo: $(DEMO) ## run the bundled recording through the embedded models
	@$(VENV)/bin/lao demo

test: $(DEV) web ## run every test
	@$(PY) -m pytest --hypothesis-profile=ci --durations=10 --numprocesses=3 --dist=loadfile

lint: $(DEV) ## ruff: rules and format
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

format: $(DEV) ## let ruff fix what it can
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

types: $(DEV) ## mypy, strict
	@$(PY) -m mypy

layers: $(DEV) ## import-linter: layers and doors
	@$(VENV)/bin/lint-imports

web: $(PAGE) ## build the page of `lao ui` (needs Node.js 20.19 or later)

# What is newer than the page is built anew; the page itself is the stamp.
$(PAGE): $(WEB_SOURCES)
	@if ! command -v npm >/dev/null 2>&1 || ! node -e '$(NODE_CHECK)'; then \
	  echo "make web: skipped, needs npm and Node.js 20.19 or later; \`lao ui\` will have no page" >&2; \
	else \
	  cd web && \
	  { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --ignore-scripts --no-audit --no-fund; } && \
	  npm run --silent build; \
	fi

web-test: web ## the tests of the page's own parts; those of the whole page are in `make test`
	@if [ -d web/node_modules ]; then cd web && npm test --silent; else echo "make web-test: skipped, the page's tools are not here"; fi

check: lint types layers web-test test ## everything a change must pass

bench: $(DEV) ## how fast it is, beside floors and peers (at most 20 minutes)
	@$(PY) -m benchmarks.suite $(BENCH)

bench-quick: $(DEV) ## whether a ratio to a floor left its band (at most 90 s)
	@$(PY) -m benchmarks.suite --quick $(BENCH)

build: $(DEV) web ## wheel and sdist into dist/
	@rm -rf dist
	@$(PY) -m build --no-isolation --outdir dist

ollama: .ollama/bin/ollama ## build a real Ollama for the tests that can use one (needs Go)

.ollama/bin/ollama:
	@if ! command -v go >/dev/null 2>&1; then \
	  echo "make ollama: skipped, no Go here; the tests that need a real Ollama skip too"; \
	else \
	  echo "make ollama: building $(OLLAMA_VERSION); several minutes"; \
	  GOBIN="$(GOBIN)" timeout $(OLLAMA_MINUTES)m \
	    nice go install github.com/ollama/ollama@$(OLLAMA_VERSION); \
	fi

# The demo's lock is a part of the tests' lock: both install the same versions.
lock: ## choose and pin all versions anew (needs uv)
	@for name in dev demo; do \
	  extras="--extra=speech-lite"; limit="--constraint=requirements/dev.lock"; \
	  if [ $$name = dev ]; then extras="--extra=all --extra=dev"; limit=""; fi; \
	  uv pip compile --quiet --upgrade --universal --python-version 3.11 $$extras $$limit \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	    --custom-compile-command "make lock" \
	    --output-file requirements/$$name.lock pyproject.toml requirements/build.in || exit; \
	done

clean: ## remove the environment and everything that was built
	rm -rf $(VENV) .bench dist build benchmarks/results web/node_modules src/lao/server/static .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .ollama.log

$(DEMO): requirements/demo.lock pyproject.toml | $(PY)
	@echo "installing LAO into $(VENV)"
	@$(LOCKED) requirements/demo.lock
	@$(INSTALL_SELF)
	@touch $@

$(DEV): requirements/dev.lock pyproject.toml | $(PY)
	@echo "installing LAO, its extras and its tests' tools into $(VENV)"
	@$(LOCKED) requirements/dev.lock
	@$(INSTALL_SELF)
	@touch $@ $(DEMO)

# Preferred are the Pythons with a wheel of every optional part (3.14 has no pocketsphinx).
$(PY):
	@for python in $(PYTHON) python3.13 python3.11 python3.12 python3.14 python3 python; do \
	  $$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  echo "using $$($$python --version), $$(command -v $$python)"; \
	  $$python -m venv $(VENV) && exit; \
	done; \
	echo "no Python 3.11 or later with the venv module was found" >&2; \
	echo "  mend: install one (on Debian: apt install python3 python3-venv), or say PYTHON=/path/to/it" >&2; \
	exit 1
