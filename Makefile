# Each of these is the only command needed in a fresh clone on a Debian-like system with make and
# Python 3.11 or newer, as root or as a plain user. Everything is installed into .venv.
#
#   make demo    see scripted calls authorized, debited and settled on real PostgreSQL and Valkey
#   make test    everything that CI runs
#   make check   the quick part of it: no Asterisk, no faults, no pages, no commands
#   make soak    the long tests, which neither of the two above runs: parts killed at random, each for
#                SOAK_SECONDS (300); SOAK_SEED repeats a run
#   make bench   measure speed and memory: docs/benchmarks.md says what the figures mean
#   make docs    write the parts of docs/ that say what the code says
#   make venv    the environment for development; then: . .venv/bin/activate
#   make clean   remove what these commands have made

PYTHON := .venv/bin/python

# Named after this folder: scripts in .venv hold its path, so a tree that was copied or moved makes
# its environment anew. Touched when what pyproject.toml names is installed.
HERE := $(shell pwd | cksum | cut -d' ' -f1)
INSTALLED := .venv/installed-$(HERE)
INSTALLED_FOR_DEVELOPMENT := .venv/installed-for-development-$(HERE)
INSTALLED_FOR_BENCH := .venv/installed-for-bench-$(HERE)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Tests start the program hundreds of times: a fifth of each start is compiling its modules.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

.PHONY: demo test check soak bench lint docs venv clean

demo: $(INSTALLED)
	@$(PYTHON) -m agi_server demo

# Much of it waits for telephones, for servers that were killed, for pages: in parts, side by side,
# the longest first, each with its own servers. What a part prints is shown when it ends.
QUICK_PARTS := lint test-calls test-rest
PARTS := test-asterisk test-faults test-web test-commands $(QUICK_PARTS)
COMMANDS := tests/cli tests/docs/test_readme.py
CALLS := tests/calls tests/sessions tests/ledger
SIDE_BY_SIDE := $(MAKE) --no-print-directory --output-sync=target --keep-going

.PHONY: $(PARTS)

test: venv
	@$(SIDE_BY_SIDE) --jobs=3 $(PARTS)

check: venv
	@$(SIDE_BY_SIDE) --jobs=3 $(QUICK_PARTS)

test-asterisk: venv
	$(PYTHON) -m pytest tests/asterisk

test-faults: venv
	$(PYTHON) -m pytest tests/faults

test-web: venv
	$(PYTHON) -m pytest tests/web

test-commands: venv
	$(PYTHON) -m pytest $(COMMANDS)

test-calls: venv
	$(PYTHON) -m pytest $(CALLS)

# All that no other part has: also a folder that is new.
test-rest: venv
	$(PYTHON) -m pytest $(addprefix --ignore=,tests/asterisk tests/faults tests/web $(COMMANDS) $(CALLS))

soak: venv
	$(PYTHON) -m pytest -m soak

# One after the other: each would spoil the figures of the next.
bench: $(INSTALLED_FOR_BENCH)
	$(PYTHON) tests/benchmarks/bench_rating.py
	$(PYTHON) tests/benchmarks/bench_reload.py
	$(PYTHON) tests/benchmarks/bench_import.py
	$(PYTHON) tests/benchmarks/bench_verify.py
	$(PYTHON) -m agi_server bench --embedded --calls 5000

lint: venv
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check --quiet
	$(PYTHON) -m mypy

docs: $(INSTALLED)
	$(PYTHON) tests/docs/written_from_code.py

venv: $(INSTALLED_FOR_DEVELOPMENT)

clean:
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml
	@test -e $@ || sh .ci/make-venv
	@echo "Installing agi-server and its libraries into .venv ..."
	@$(PYTHON) -m pip install --quiet --editable .
	@touch $@

$(INSTALLED_FOR_DEVELOPMENT): $(INSTALLED)
	@echo "Installing the tools for tests ..."
	@$(PYTHON) -m pip install --quiet 'pip>=25.1' # knows --group
	@$(PYTHON) -m pip install --quiet --editable . --group dev
	@touch $@

$(INSTALLED_FOR_BENCH): $(INSTALLED_FOR_DEVELOPMENT)
	@echo "Installing what the benchmarks compare with ..."
	@$(PYTHON) -m pip install --quiet --group bench
	@touch $@
