# The two commands a newcomer needs are `make demo` and `make test`; `make help` lists the rest.
# Everything runs in one environment, .venv, made from requirements.lock. Nothing here needs a server.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Telemetry must be off before the libraries are imported, so it is off before Python starts.
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
# The suite starts hundreds of processes; each would compile our modules anew where the environment forbids the cache.
unexport PYTHONDONTWRITEBYTECODE

# A file of tests stays in one process, for what its tests share; the order is that of the tree.
SPREAD := -rs --numprocesses=auto --maxprocesses=8 --dist=loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all foreign lint types check docs bench bench-smoke profile soak lock clean

help:            ## this list
	@grep -hE '^[a-z-]+: *.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "malmoi needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3 has no venv module; on Debian or Ubuntu: apt-get install python3-venv"; exit 2; }
	@echo "Installing the locked versions into $(VENV) (about a gigabyte, once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: $(STAMP)  ## make the environment (.venv) from the lock

demo: $(STAMP)   ## crawl the bundled sample site end to end: a verified release and its card
	@$(BIN)/malmoi demo

test: $(STAMP)   ## the tests, on every core; what is not installed is skipped and said
	@$(BIN)/python -m pytest -m 'not soak and not heavy and not real_time' $(SPREAD)

test-all: test   ## and those with engines, servers, browsers, kills and tools of others
	@$(BIN)/python -m pytest -m real_time tests/fetch
	@$(BIN)/python -m pytest -m 'heavy and not soak' $(SPREAD)

# Each tool of tests/foreign has an environment of its own, without malmoi. Where torch comes with CUDA it takes gigabytes more.
.foreign/%/.installed: tests/foreign/requirements/%.txt
	@rm -rf $(@D) && $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r $<
	@touch $@

foreign: $(patsubst tests/foreign/requirements/%.txt,.foreign/%/.installed,$(wildcard tests/foreign/requirements/*.txt))  ## environments of datasets, torch and others for tests/foreign (3 GB)

lint: $(STAMP)   ## ruff: style and the rules of the house
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)  ## mypy, strict
	@$(BIN)/mypy

check: lint types  ## for the loop of a change, under a minute: lint, types, and the tests nearest to what changed
	@$(BIN)/python -m pytest -m 'not soak and not heavy and not real_time' $(SPREAD) $$($(BIN)/python -m tests.project.changed_tests)

docs: $(STAMP)   ## build the documentation site into site/, without network; open site/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "open site/index.html"

bench: $(STAMP)  ## cost on real pages, beside datatrove; BENCH_CORPUS=path/to.warc.gz, BENCH_PEER=path/to/python or none
	@$(BIN)/python -m benchmarks

bench-smoke: $(STAMP)  ## every benchmark on its smallest input: whether they still run, not how fast
	@$(BIN)/python -m benchmarks.smoke

profile: $(STAMP)  ## where the CPU goes, by function, of all processes, and a flame graph; BENCH_CORPUS=path
	@$(BIN)/python -m benchmarks.profile

soak: $(STAMP)   ## the long checks: hundreds of kills, growth, many orders
	@$(BIN)/python -m pytest -m soak --override-ini addopts= --import-mode=importlib -q

lock:            ## resolve requirements.lock anew (needs uv)
	@uv pip compile pyproject.toml --extra dev --extra docs --universal --generate-hashes --no-header --no-annotate -q -o requirements.lock

clean:           ## remove the environment, the demo's workspace and caches
	@rm -rf $(VENV) .foreign workspace site .pytest_cache .mypy_cache .ruff_cache
