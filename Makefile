# The commands of this repository. Each sets up what it needs first; a second run does that in an instant.
PYTHON := .venv/bin/python
COMPILE = uv pip compile $(if $(UPGRADE),--upgrade) --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

.PHONY: help setup demo test quick lint docs site bench soak lock

help:
	@echo "make demo         the sample city, its figures and its map, served until Ctrl-C (SERVE=0: not served)"
	@echo "make test         format, lint, types, import contracts and every test"
	@echo "make quick        the tests of the inner loop: unit and spec"
	@echo "make lint         format, lint, types and import contracts"
	@echo "make docs         write docs/indicators.md and docs/columns.md from what they describe"
	@echo "make site         the documents as a site, in build/site"
	@echo "make bench        speed and memory against peers"
	@echo "make soak         ten minutes of a service that is used and broken off (SECONDS=60: a minute)"
	@echo "make setup        PostGIS and the Python environment in .venv"
	@echo "make lock         write the lock files from pyproject.toml (UPGRADE=1: with the newest versions)"

setup:
	@sh .ci/setup

demo: setup
	.venv/bin/vasti demo --out build/demo $(if $(filter 0,$(SERVE)),--no-serve)

lint: setup
	@$(MAKE) --no-print-directory checks

.PHONY: checks
checks:
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports

# Browser first, so that pytest's closing line is the last one printed. A process for each core, each with a cluster
# of its own; a file's tests stay together, so that what they share is made once. In their own order the files of many
# quick tests come last, so that no core waits for another.
test: setup
	@sh .ci/setup browser
	@$(MAKE) --no-print-directory checks
	@$(MAKE) --no-print-directory site
	$(PYTHON) -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder

# The dearest first: spec has the database.
quick: setup
	$(PYTHON) -m pytest tests/spec tests/unit --numprocesses=auto --dist=loadfile --no-loadscope-reorder

docs: setup
	$(PYTHON) -m tests.spec.write_docs

# Strict: a link to a page or a heading that is not there fails it.
site: setup
	.venv/bin/zensical build --strict --clean

# The peers' packages live in an environment of their own, which the service never sees.
bench:
	@sh .ci/setup bench
	.venv-bench/bin/python -m tests.benchmarks

soak: setup
	VASTI_SOAK_SECONDS=$(or $(SECONDS),600) $(PYTHON) -m pytest tests/soak

lock: setup
	@PATH="$$PATH:$(CURDIR)/build/uv/bin"; export PATH; set -e; \
	$(COMPILE) pyproject.toml --output-file requirements.lock; \
	$(COMPILE) pyproject.toml --extra dev --output-file requirements-dev.lock; \
	$(COMPILE) pyproject.toml --extra dev --extra bench --output-file requirements-bench.lock; \
	echo uv | $(COMPILE) - --output-file requirements-uv.lock
