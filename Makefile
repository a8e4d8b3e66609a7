# SPDX-License-Identifier: GPL-2.0-only
# The front door. Meson builds (meson.build), scripts/run-tests tests, lab/ is the lab; this file only knows their names.

PYTHON = /usr/bin/python3
BUILD = build
ASAN = build-asan

.PHONY: all deps test lint fuzz bench lab lab-down install clean root help

all: deps $(BUILD)/build.ninja
	ninja -C $(BUILD)

help:
	@echo 'sudo make lab         a fabric with tenants on this machine; make lab-down removes it'
	@echo 'sudo make test        everything; T=PATTERN: a test by name, a file, a pytest node'
	@echo 'make                  build;  make install: meson install (DESTDIR works)'
	@echo 'make lint             formatting and static checks'
	@echo 'sudo make fuzz        fuzz each parser for FUZZ_SECONDS (60);  sudo make bench: measurements'

deps:
	@scripts/install-deps

root:
	@[ "$$(id -u)" = 0 ] || { echo 'This makes network namespaces and loads BPF programs: use sudo make $(MAKECMDGOALS)'; exit 1; }

$(BUILD)/build.ninja:
	meson setup $(BUILD)

$(ASAN)/build.ninja:
	meson setup $(ASAN) -Db_sanitize=address,undefined -Db_lundef=false

test: root deps $(BUILD)/build.ninja $(ASAN)/build.ninja
	@$(PYTHON) scripts/run-tests --build $(BUILD) --asan $(ASAN) $(if $(T),'$(T)')

lint: deps $(BUILD)/build.ninja
	@$(PYTHON) scripts/run-tests --build $(BUILD) --only lint

fuzz: root deps $(BUILD)/build.ninja
	@$(PYTHON) scripts/run-tests --build $(BUILD) --fuzz $(or $(FUZZ_SECONDS),60)

bench: root deps $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet
	meson test -C $(BUILD) --benchmark --verbose --print-errorlogs

lab: root deps $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet src/agent/sr-agent src/cli/srctl
	@scripts/lab up --build $(BUILD) $(if $(DATAPATH),--datapath $(DATAPATH))

lab-down: root
	@scripts/lab down

install: all
	meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(ASAN)
