# Two commands do everything: `make run` and `make test`. The rest is for people who work on gamekit.

# The newest Python that is at least 3.11; override with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	if $$p -c 'import sys, venv, sqlite3; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then echo $$p; break; fi; done)
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

.PHONY: run test lint types contracts tests docs notebooks long nightly lab screenshots bench bench-simulate bench-headless \
	bench-serve bench-capacity constraints dist clean

## Set up and start the server on 127.0.0.1; Ctrl-C drains it. Arguments: make run ARGS="--port 9000"
run: $(VENV)/.run
	@exec $(BIN)/gamekit serve $(ARGS)

## Set up and run everything that must be green: lint, types, import contract, all tests, the documentation
test: lint types contracts tests docs

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

tests: $(VENV)/.dev node_modules/.package-lock.json
	$(BIN)/pytest -n 3 --dist loadfile $(ARGS)

## The tests that can be made larger, larger: many more hours of every scenario, galaxies with storms and orders, schedules of sleep, 200 clients
## over ten restarts; half an hour
long: $(VENV)/.dev
	GAMEKIT_LONG=20 $(BIN)/pytest --timeout 7200 tests/space/test_scenarios.py tests/space/test_patience.py \
		tests/space/test_long_run.py tests/space/test_ways.py tests/server/test_sleep.py tests/server/test_rolling.py tests/server/test_fuzz.py \
		tests/lab/test_launch.py tests/test_firstuse.py $(ARGS)

## Every benchmark at full size; an hour and a half on a quiet machine. The game headless, one line of JSON a run; the
## model of the benchmarks headless beside Mesa; players and spectators beside naive servers; how many sessions a server
## holds. All but the first append to data/benchmarks, where the notebooks read it back. One part alone: make
## bench-simulate (ARGS go there), bench-headless, bench-serve, bench-capacity
bench: bench-simulate bench-headless bench-serve bench-capacity

bench-simulate: $(VENV)/.dev
	$(BIN)/python benchmarks/simulate.py $(ARGS)

bench-headless: $(VENV)/.dev
	$(BIN)/gamekit bench --workload headless --full --rounds 8 --output data/benchmarks/mesa.jsonl

bench-serve: $(VENV)/.dev
	$(BIN)/gamekit bench --full --rounds 6 --output data/benchmarks/tick-latency.jsonl
	$(BIN)/gamekit bench --full --workload many --workload idle --server gamekit --output data/benchmarks/tick-latency.jsonl

bench-capacity: $(VENV)/.dev
	$(BIN)/gamekit bench --capacity --full --server gamekit --server naive-legs --output data/benchmarks/capacity.jsonl

## An hour of the fault simulator, with seeds that no other day has; a seed that fails belongs into tests/seeds/
nightly: $(VENV)/.dev
	$(BIN)/gamekit faultsim --minutes 60 --steps 30000 --seed $$(( $$(date +%s) / 86400 * 100000 )) $(ARGS)

## The documentation site, in build/site; every warning is an error. Its gallery has the notebooks as the tests ran them
docs: $(VENV)/.dev
	@$(BIN)/python docs/site.py --missing || $(MAKE) notebooks
	$(BIN)/python docs/site.py build/site

## Run every notebook once, small, and keep them as they were run in build/notebooks
notebooks: $(VENV)/.dev
	$(BIN)/pytest tests/notebooks/test_notebooks.py $(ARGS)

## JupyterLab with gamekit, in notebooks/
lab: $(VENV)/.dev
	$(BIN)/jupyter lab notebooks

## Make the README's pictures from the running software
screenshots: $(VENV)/.dev
	$(BIN)/python docs/screenshots.py

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "gamekit needs Python 3.11 or newer with the venv module" \
		"(Debian: apt install python3 python3-venv; macOS: brew install python)."; exit 1; }
	@echo "making a virtual environment in $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

# Every package is pinned and checked by its hash, what builds gamekit among them.
$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints-run.txt
	@echo "installing gamekit into $(VENV) (once; about a minute)"
	@$(PIP) --require-hashes --requirement constraints-run.txt
	@$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing gamekit with JupyterLab and the development tools into $(VENV) (once; about two minutes)"
	@$(PIP) --require-hashes --requirement constraints.txt
	@$(PIP) --no-build-isolation --editable .
	@touch $@ $(VENV)/.run

# For checking the page's modules only; the page itself needs no package. Node comes with the development packages.
node_modules/.package-lock.json: package-lock.json $(VENV)/.dev
	@PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --no-audit --no-fund
	@touch $@

## Renew the pins of all that is installed, with their hashes (needs uv); the files name no index. The second is the part
## of the first that a server needs
LOCK = uv pip compile pyproject.toml --group pyproject.toml:build --universal --python-version 3.11 --no-emit-index-url \
	--no-header --no-annotate --generate-hashes
constraints:
	$(LOCK) --all-extras --upgrade --output-file constraints.txt
	$(LOCK) --constraint constraints.txt --upgrade --output-file constraints-run.txt

## Wheel and source package in dist/, and the list of all that a server is made of (CycloneDX) beside them
dist: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build --quiet --no-isolation --outdir dist .
	$(BIN)/cyclonedx-py requirements constraints-run.txt --pyproject pyproject.toml --output-reproducible \
		--output-file dist/gamekit.cdx.json

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist node_modules
