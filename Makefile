# make app | test | check | bench | clean: each makes what it needs, and is quick when nothing has changed.
# Needs Python 3.11 or newer; the tests also Debian's apt, where Chromium or npm is missing.

VENV := .venv
PY := $(VENV)/bin/python
GPIO := $(VENV)/geoparquet-io
VENDOR := assets/static/vendor
NPM := npm --prefix assets
LINTER := assets/node_modules/.linter
WORKERS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help app test check format lock bench test-slow screenshots clean browser npm test-vendor
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:
	@echo "make app        install what is missing and start Emberscope on 127.0.0.1 (PORT=9000 picks the port,"
	@echo "                WORKSHOP=1 opens it to the network of the room, with a password)"
	@echo "make test       install what the tests need, then all checks and all tests"
	@echo "make check      form, lint, types and layers; the map's scripts and styles, and the scripts' own tests"
	@echo "make format     put every file into the form that make check asks for"
	@echo "make lock       write assets/package-lock.json anew after a change of assets/package.json"
	@echo "make bench      figures: speed, memory, bytes"
	@echo "make test-slow  the tests that take minutes or many gigabytes"
	@echo "make screenshots  take the pictures of the README anew, by the journeys through the whole season"
	@echo "make clean      remove what make has made; runs/ stays"

app: $(VENV)/.app $(VENDOR)/.made
	@PORT='$(PORT)' WORKSHOP='$(WORKSHOP)' exec $(PY) assets/start.py

test: $(VENV)/.test $(GPIO)/.made browser test-vendor check
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS)

check: $(VENV)/.test $(LINTER)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -c 'from importlinter.cli import lint_imports_command as lint; lint()'
	$(NPM) --silent run lint
	$(NPM) --silent test

format: $(VENV)/.test
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

# Without addresses: not those of the registry, and not those where a package asks for money.
lock: | $(PY) npm
	$(NPM) install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund
	$(PY) -c 'import json, pathlib; p = pathlib.Path("assets/package-lock.json"); tree = json.loads(p.read_text()); \
	  [package.pop("funding", None) for package in tree["packages"].values()]; p.write_text(json.dumps(tree, indent=2) + "\n")'

bench: $(VENV)/.test
	@set -e; for bench in tests/bench/*.py; do echo "== $$bench"; PYTHONPATH=. $(PY) "$$bench" --json; done

test-slow: $(VENV)/.test browser test-vendor
	$(PY) -m pytest -m slow

screenshots: $(VENV)/.test browser test-vendor
	EMBERSCOPE_SCREENSHOTS='$(CURDIR)/assets/screenshots' $(PY) -m pytest tests/journeys/test_train_journey.py \
	  tests/journeys/test_extract_journey.py tests/journeys/test_lens_journey.py tests/journeys/test_compare_journey.py

clean:
	rm -rf $(VENV) assets/node_modules $(VENDOR) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment -------------------------------------------------------------------------------------
# A stamp lies inside what it vouches for, so that removing the folder removes the stamp.

# The first interpreter from 3.11 to 3.13 that is found, else any newer one; PYTHON=... picks it by hand.
$(PY):
	@set -e; python='$(PYTHON)'; found=''; \
	for limit in 13 99; do for name in $${python:-python3 python3.13 python3.12 python3.11 python}; do \
	  [ -n "$$found" ] || ! "$$name" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $$limit))" \
	    2>/dev/null || found="$$name"; \
	done; done; \
	if [ -z "$$found" ]; then \
	  echo "Emberscope needs Python 3.11 or newer; found: $$($${python:-python3} --version 2>&1 || true)." \
	    "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 2; fi; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv $(VENV) && $(PY) -m pip --version >/dev/null || { rm -rf $(VENV); \
	  echo "$$found could not make a virtual environment with pip in it." \
	    "On Debian: apt-get install python3-venv. Then try again." >&2; exit 2; }

$(VENV)/.app: requirements.txt | $(PY)
	@echo "Installing requirements.txt; the first time takes some minutes and about 7 GB, most of it torch for CUDA"
	$(PY) -m pip install -r requirements.txt
	@touch $@

$(VENV)/.test: requirements-test.txt requirements.txt requirements-ray.txt requirements-torchgeo.txt requirements-umap.txt | $(PY)
	$(PY) -m pip install -r requirements-test.txt
	@touch $@ $(VENV)/.app

# One test's tool, which wants another DuckDB than the tests. DuckDB looks for its extensions in HOME.
$(GPIO)/.made: requirements-geoparquet-io.txt | $(PY)
	$(PY) -m venv --clear $(GPIO)
	$(GPIO)/bin/python -m pip install --quiet -r requirements-geoparquet-io.txt
	HOME='$(CURDIR)/$(GPIO)' $(GPIO)/bin/python -c 'import duckdb_extensions as d; d.import_extension("spatial")'
	@touch $@

# --- the map libraries --------------------------------------------------------------------------------------
# Without npm the pages load them from public CDNs and say so; the next `make app` tries again.
$(VENDOR)/.made: assets/package-lock.json assets/vendor.py | $(PY)
	@if ! command -v npm >/dev/null; then \
	  echo "npm is not installed: the maps will load Leaflet from public CDNs"; \
	elif ! [ $(LINTER) -nt assets/package-lock.json ] && \
	  ! $(NPM) ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel error; then \
	  echo "npm could not fetch Leaflet (see above): the maps will load it from public CDNs"; \
	else $(PY) assets/vendor.py && touch $@; fi

# What checks our own scripts and styles; it brings the map libraries with it.
$(LINTER): assets/package-lock.json | npm
	$(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

# --- what the browser journeys need ------------------------------------------------------------------------
# They let nothing leave the machine, so here npm and Chromium are no choice.
apt_install = sudo=''; [ "$$(id -u)" = 0 ] || sudo=$$(command -v sudo || true); \
	command -v apt-get >/dev/null || { echo "The browser tests need $(1), and there is no apt-get here." \
	  "Install it by hand." >&2; exit 2; }; \
	$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(1)

browser:
	@set -e; command -v chromium >/dev/null || { $(call apt_install,chromium); }

npm:
	@set -e; command -v npm >/dev/null || { $(call apt_install,--no-install-recommends npm); }

test-vendor: $(VENV)/.test $(LINTER)
	@$(MAKE) --no-print-directory $(VENDOR)/.made
	@[ -f $(VENDOR)/.made ] || { echo "The browser tests need Leaflet in $(VENDOR), see above." >&2; exit 2; }
