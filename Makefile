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
unexport PYTHONPATH PYTHONHOME

.PHONY: demo test check soak bench lint docs venv clean

demo: $(INSTALLED)
	@$(PYTHON) -m agi_server demo

# Much of it waits for telephones, for servers that were killed, for pages: in two halves, side by
# side. What the first one printed is shown after the second.
REAL_PARTS := tests/asterisk tests/faults tests/web
test: lint
	@mkdir -p .cache; \
	$(PYTHON) -m pytest $(REAL_PARTS) > .cache/real-parts.log 2>&1 & real_parts=$$!; \
	trap 'kill $$real_parts 2>/dev/null' EXIT; \
	$(PYTHON) -m pytest $(addprefix --ignore=,$(REAL_PARTS)); rest=$$?; \
	wait $$real_parts; code=$$?; \
	cat .cache/real-parts.log; \
	test $$rest -eq 0 && test $$code -eq 0

check: lint
	$(PYTHON) -m pytest $(addprefix --ignore=,$(REAL_PARTS) tests/cli tests/docs/test_readme.py)

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
