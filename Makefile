# The doors of the project. `make demo` and `make test` need Debian (or alike) with git, make, python3 and its venv module, no more.

PYTHON ?= python3
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet install --no-deps --require-hashes

.PHONY: help install demo demo-reset run test torture bench bench-browser lint messages migration screenshots lock
.DELETE_ON_ERROR:

# Where bytecode may not be kept, each of the many processes of a test run or a demo compiles the portal for itself: 4 of its 6 seconds.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make demo        the portal with a local Dastra and made-up requests (PORT, SANDBOX_PORT, REQUESTS)"
	@echo "make demo-reset  forget what the demo made"
	@echo "make test        every test          make lint      every check of the source"
	@echo "make torture     the mirror and the outbox under faults, at length (SEQUENCES, SEED)"
	@echo "make bench       how long pages and pulls take, beside floors of the same run; make bench-browser: how long the board keeps a slow browser busy"
	@echo "make run         web server and jobs on this machine, configured by the environment"
	@echo "make install     only the virtual environment, with the locked dependencies"
	@echo "make screenshots take the pictures of README again, from a demo of their own"
	@echo "make migration   write the first migration anew, before the first release; after that, Django's makemigrations"
	@echo "make messages    collect and compile the translations          make lock  lock the dependencies anew"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv

# One stamp for what runs and one for what develops: the demo needs no test tools, and installing the latter includes the former.
.venv/.runtime: requirements/runtime.txt | $(BIN)/python
	@echo "Installing $$(grep -c '==' $<) locked packages…"
	@$(PIP) -r $<
	@touch $@

.venv/.dev: requirements/dev.txt | $(BIN)/python
	@echo "Installing $$(grep -c '==' $<) locked packages…"
	@$(PIP) -r $<
	@touch $@ .venv/.runtime

install: .venv/.dev

demo: .venv/.runtime
	@$(MANAGE) demo

demo-reset: .venv/.runtime
	@$(MANAGE) demo --reset

run: .venv/.runtime
	@$(MANAGE) serve

ON_POSTGRES := tests/limits tests/mirror tests/actions tests/board tests/register tests/overview/test_figures.py tests/jobs/test_jobs.py tests/jobs/test_schedules.py tests/hooks/test_reading.py tests/hooks/test_gaps.py tests/crash/test_boundaries.py tests/alerts/test_raising.py tests/alerts/test_killed.py tests/alerts/test_proofs.py

# Everything once on SQLite; then, on a throwaway PostgreSQL, what the two databases could tell apart.
test: .venv/.dev
	@scripts/system_packages
	$(BIN)/pytest -p tests.no_skips -n 4 --dist worksteal --ignore tests/torture/test_search.py
	$(BIN)/python scripts/with_postgres.py $(BIN)/pytest -p tests.no_skips -n 4 --dist worksteal -m "not one_database" $(ON_POSTGRES)

# The mirror and the outbox under everything that can happen: SEQUENCES of them, from SEED on; prints the seeds and what was found.
SEQUENCES ?= 10000
SEED ?= 1
torture: .venv/.dev
	$(BIN)/pytest -p tests.no_skips -n 2 --dist worksteal tests/torture
	$(BIN)/python scripts/torture.py --sequences $(SEQUENCES) --seed $(SEED)
	$(BIN)/python scripts/with_postgres.py $(BIN)/python scripts/torture_limits.py
	$(BIN)/python scripts/torture_crash.py
	$(BIN)/python scripts/with_postgres.py $(BIN)/python scripts/torture_crash.py
	$(BIN)/python scripts/torture_alerts.py
	$(BIN)/python scripts/with_postgres.py $(BIN)/python scripts/torture_alerts.py

bench: .venv/.dev
	$(BIN)/python scripts/bench.py
	$(BIN)/python scripts/with_postgres.py $(BIN)/python scripts/bench.py

bench-browser: .venv/.dev
	@scripts/system_packages
	$(BIN)/python scripts/bench_browser.py --whole

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/lint-imports
	DATABASE_URL=sqlite:///:memory: $(MANAGE) makemigrations --check --dry-run
	$(BIN)/python scripts/check_vendored.py

messages: .venv/.dev
	$(MANAGE) makemessages --locale fr --locale nl --no-obsolete --no-wrap --add-location file --ignore 'tests/*' --ignore 'frontend/*' --ignore 'var/*'
	$(BIN)/pybabel compile --domain django --directory locale

migration: .venv/.dev
	rm -f dsrportal/migrations/0001_start.py
	DATABASE_URL=sqlite:///:memory: $(MANAGE) makemigrations dsrportal --name start
	$(BIN)/python scripts/fold_migration.py

screenshots: .venv/.dev
	@scripts/system_packages
	$(BIN)/python scripts/screenshots.py

lock: .venv/.dev
	$(BIN)/python -m pip --disable-pip-version-check install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements/runtime.txt
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements/dev.txt
