# Everything starts here: `make help`. The environment is made when a target first needs it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PROFILE ?= paper
ONLY ?=
PORT ?= 8000
SPACES ?=
MINUTES ?= 20
SEED ?= 0
CHAPTER ?=
UNVERIFIED ?=
PYTHON ?= $(shell command -v python3.11 || command -v python3)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
RUN := $(BIN)/python -m qednas.companion.runner
BOOK := _build/book/html

# One thread per process: thread counts change the last digits, and parallelism is over processes.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export PYTHONHASHSEED := 0
# The same kernels on every x86 processor, so that results agree to the last digits between more machines than one.
ifneq (,$(shell grep -m1 -o avx2 /proc/cpuinfo 2>/dev/null))
export OPENBLAS_CORETYPE ?= Haswell
export ATEN_CPU_CAPABILITY ?= avx2
export DNNL_MAX_CPU_ISA ?= AVX2
export MKL_ENABLE_INSTRUCTIONS ?= AVX2
endif
ifneq (,$(shell grep -m1 -o avx512f /proc/cpuinfo 2>/dev/null))
export NPY_DISABLE_CPU_FEATURES ?= AVX512F AVX512CD AVX512_SKX
endif

.PHONY: help setup browser reproduce verify audit refresh expect accept status costs tables book test lint bench serve lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/\1|\2/' | awk -F'|' '{printf "make %-10s %s\n", $$1, $$2}'
	@echo "Variables: PROFILE=paper|smoke (reproduce, verify), ONLY=05 (reproduce, verify, accept: one chapter), PORT=8000 (serve), SPACES=sensors (tables: these only)"

setup: $(STAMP) browser ## make .venv from requirements.lock (every other target does it when needed)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "make: Python 3.11 is needed; give it as PYTHON=/path/to/python3.11" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

# The browser is for the tests of the rendered book only. Where it cannot be installed that test says so.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 && exit 0; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	if command -v apt-get >/dev/null && $$sudo true 2>/dev/null; then \
	  echo "installing chromium for the browser test"; \
	  { $$sudo apt-get -qq update && DEBIAN_FRONTEND=noninteractive $$sudo apt-get -qq install -y --no-install-recommends chromium; } >/dev/null 2>&1 \
	    || echo "chromium could not be installed: the browser test will say so"; \
	else echo "no chromium here and no way to install it: the browser test will say so"; fi

reproduce: $(STAMP) ## execute every chapter of the profile from scratch (resumes after an interruption), then verify
	@$(RUN) reproduce --profile $(PROFILE) --only "$(ONLY)"

verify: $(STAMP) ## compare _build/<profile>/results with the committed results
	@$(RUN) verify --profile $(PROFILE) --only "$(ONLY)"

audit: $(STAMP) ## compute random tasks of the paper run again and compare: MINUTES=20 SEED=0 CHAPTER=07 UNVERIFIED=1 (code that changed)
	@$(RUN) audit --minutes "$(MINUTES)" --seed "$(SEED)" --only "$(CHAPTER)" $(if $(UNVERIFIED),--unverified)

refresh: $(STAMP) ## as reproduce, but taking recorded tasks over: for what only puts them together differently (ONLY=05)
	@$(RUN) reproduce --profile $(PROFILE) --only "$(ONLY)" --recall

expect: $(STAMP) ## take a finished smoke run over as results/smoke, which the tests compare with
	@$(RUN) expect --only "$(ONLY)"

accept: $(STAMP) ## take a finished paper run over as results/paper
	@$(RUN) accept --profile $(PROFILE) --only "$(ONLY)"

status: $(STAMP) ## tell which results are stale, and why
	@$(RUN) status

costs: $(STAMP) ## measure again what a training step of every network costs (half an hour, on a machine that does nothing else)
	@PYTHONPATH=book $(BIN)/python -m studies.ch08.cost_measuring

tables: $(STAMP) ## train every architecture of the trained spaces again and write their tables (hours; goes on after an interruption)
	@PYTHONPATH=book $(BIN)/python -m studies.tables.table_making $(SPACES)

book: $(STAMP) ## render the book from the committed results, computing nothing
	@$(RUN) book

test: $(STAMP) browser ## lint, unit tests, rows of the trained tables again, every chapter in the smoke profile, the book, the book in a browser
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest tests/unit -n 2 --dist worksteal
	$(BIN)/python -m pytest tests/slow
	rm -rf _build/smoke
	$(BIN)/python -m pytest --nbval-lax --nbval-kernel-name python3 --import-mode prepend -W default book/*.ipynb
	@$(RUN) verify --profile smoke
	@$(RUN) book
	$(BIN)/python -m pytest tests/book

lint: $(STAMP) ## check style, types, and that floors only look down
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYTHONPATH=book $(BIN)/lint-imports

bench: $(STAMP) ## time against other packages, side by side (in an environment of its own)
	@$(BIN)/python benchmarks/run.py

serve: ## show the rendered book on localhost
	@test -f $(BOOK)/index.html || { echo "no book yet: make book" >&2; exit 2; }
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(BOOK) $(PORT)

lock: $(STAMP) ## write requirements.lock and environment.yml from what is installed in .venv
	@$(BIN)/python -m qednas.companion.pins

clean: ## remove what was built (the environment stays)
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find qednas tests book benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
