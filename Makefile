# One door for people: `make run`, `make test`; `make help` lists the rest.
# Needs Python 3.11+, a C compiler, make, Node 20 and npm. Nothing is installed outside this folder but,
# by `make test` and where it may, Debian's Chromium and a Chinese font.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CONFIG ?= configs/dev.toml
# Playwright's driver is Node, whose io_uring was seen to spin for ever where two began at once.
export UV_USE_IO_URING := 0

RELAY_SOURCES := $(wildcard server/ingest/*.c server/media/*.pyx server/media/relay/*.pyx server/media/relay/*.pxd server/media/relay/*.pxi)
WEB_SOURCES := $(shell find web/src web/public -type f 2>/dev/null) \
	$(wildcard web/*.html web/*.ts web/package.json web/tsconfig*.json)
PYTHON_SOURCES := $(shell find server recorder -name '*.py' 2>/dev/null)
PAGES := server/api/pages/.built
MESSAGES := web/src/protocol/messages.ts

.DEFAULT_GOAL := help
.PHONY: help setup run test lint types unit web-test e2e bench bench-janus chaos docs messages lock browser interop fuzz soak wheel clean

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.built $(VENV)/.compiled $(PAGES) ## Everything installed and built; .venv/bin/lianke is the command

run: setup ## The sample county at http://localhost:8080
	@exec $(BIN)/lianke serve --config $(CONFIG)

$(VENV)/.installed: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked Python packages (once) ..."
	$(PIP) install --no-compile --require-hashes -r requirements.lock # compiled below, on all cores
	@touch $@

$(VENV)/.built: $(VENV)/.installed pyproject.toml setup.py $(RELAY_SOURCES)
	@echo "Compiling the relay ..."
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# A process that died is started again in a third of the time where nothing has to be compiled for it first.
$(VENV)/.compiled: $(VENV)/.built $(PYTHON_SOURCES)
	$(BIN)/python -m compileall -q -j 2 $(VENV)/lib server recorder
	@touch $@

web/node_modules/.installed: web/package-lock.json
	@echo "Installing the locked packages of the pages (once) ..."
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGES): web/node_modules/.installed $(WEB_SOURCES)
	@echo "Building the pages ..."
	cd web && npm exec --no -- vite build --logLevel error
	@touch $@

tests/interop/node_modules/.installed: tests/interop/package-lock.json
	@echo "Installing the locked clients of the interop tests (once) ..."
	cd tests/interop && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

interop: tests/interop/node_modules/.installed ## WebRTC clients that the tests of WHIP and WHEP run

# What installs, compiles or checks keeps both cores busy. Tests wait more than they compute: several at once.
test: ## Everything, within 20 minutes on two cores
	$(MAKE) --jobs 2 --output-sync=target setup interop
	$(MAKE) browser
	$(MAKE) --jobs 2 --output-sync=target lint types web-test
	$(MAKE) unit e2e

lint: $(VENV)/.built ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.built web/node_modules/.installed ## mypy --strict, vue-tsc, generated types up to date
	$(BIN)/mypy
	$(BIN)/python -m server.protocol.typescript | diff -u $(MESSAGES) - \
		|| { echo "$(MESSAGES) is stale: run make messages"; exit 1; }
	cd web && npm run --silent types

unit: setup interop ## Python tests without a browser
	$(BIN)/pytest -n 4 --dist loadfile tests/unit tests/property tests/peers tests/archive tests/fuzz

web-test: web/node_modules/.installed ## vitest
	cd web && npm test --silent

# They judge how a lesson goes while it goes, so they have the machine for themselves.
ALONE := $(addprefix tests/e2e/test_,drill.py every_frame.py firefox.py recording_played.py survival.py)

e2e: setup browser ## Whole walks in Chromium
	$(BIN)/pytest -n 2 --dist loadfile tests/e2e $(ALONE:%=--ignore %)
	$(BIN)/pytest $(ALONE)

# The relay under ASan and UBSan, in a folder of its own. Leaks are not looked for: Python keeps what it has.
SANITIZERS := address,undefined
SANITIZED := LIANKE_SANITIZED=build/sanitized PYTHONMALLOC=malloc UBSAN_OPTIONS=print_stacktrace=1 \
	ASAN_OPTIONS=detect_leaks=0:halt_on_error=1 LD_PRELOAD=$$($(CC) -print-file-name=libasan.so)
FUZZ_SECONDS ?= 60
SOAK_MINUTES ?= 60

build/sanitized/.built: $(RELAY_SOURCES) setup.py
	rm -rf build/sanitized
	CFLAGS="-g -fsanitize=$(SANITIZERS) -fno-sanitize-recover=undefined -fno-omit-frame-pointer" \
		LDFLAGS="-fsanitize=$(SANITIZERS)" $(BIN)/python setup.py --quiet build_ext \
		--build-lib build/sanitized --build-temp build/sanitized-objects
	@touch $@

fuzz: setup build/sanitized/.built ## Sanitizers on the relay, mutations, libFuzzer (FUZZ_SECONDS for each)
	$(SANITIZED) LIANKE_FUZZ_ROUNDS=400 $(BIN)/pytest -p tests.fuzz.sanitized tests/unit/media/relay \
		tests/property/test_relay_garbage.py tests/property/test_stream_framing.py tests/fuzz
	for name in relay_datagrams relay_rtp relay_rtcp relay_tcp; do \
		$(SANITIZED) $(BIN)/python -m tests.fuzz.run $$name --seconds $(FUZZ_SECONDS) --seed $$$$ || exit 1; done
	-$(PIP) install --only-binary :all: atheris==3.0.0
	for name in stun sdp fragment websocket dtls; do \
		$(BIN)/python -m tests.fuzz.run $$name --seconds $(FUZZ_SECONDS) --seed $$$$ --atheris || exit 1; done

soak: setup ## A small county comes and goes for SOAK_MINUTES; memory and files must stay flat
	$(BIN)/python -m tests.bench.soak --minutes $(SOAK_MINUTES)

bench: setup ## The relay's cost and the pages' delay (docs/performance.md)
	$(BIN)/lianke bench relay --viewers 40 --seconds 10 --pps 250
	$(BIN)/python -m tests.bench.glass_to_glass

chaos: setup ## Processes killed at random moments of a lesson (KILLS, SEED)
	$(BIN)/python -m tests.chaos.lesson --kills $(or $(KILLS),20) --seed $(or $(SEED),1)

bench-janus: setup ## The same load on Debian's janus and on our worker, in one run
	$(BIN)/python -m tests.bench.janus_load --viewers 40 --seconds 10 --pps 250

docs: $(VENV)/.built ## Generated parts of the documentation
	$(BIN)/python -m server.protocol.typescript > $(MESSAGES)

messages: docs ## web/src/protocol/messages.ts from the Python unions

lock: $(VENV)/.installed ## requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group dev --generate-hashes --universal --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o requirements.lock

browser:
	@sh tests/e2e/browser.sh

wheel: $(PAGES) $(VENV)/.built ## dist/lianke-*.whl, with the pages inside
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean: ## Remove what was built; keeps var/ (lessons of the sample county)
	rm -rf $(VENV) web/node_modules tests/interop/node_modules server/api/pages build dist *.egg-info
	rm -f server/media/*.c server/media/*.so server/media/relay/*.c server/media/relay/*.so
