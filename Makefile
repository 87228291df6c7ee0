# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# `make` or `make help` lists what there is. Everything made goes to build/.

BOARD ?= rpi_pico
PYTHON3 ?= python3
VENV := build/venv/bin
PYTEST := $(VENV)/python -m pytest
# Logins need users, in a mount namespace: how to become root where we are not, and may without being asked.
AS_ROOT = $(shell test "$$(id -u)" = 0 || ! sudo -n true 2>/dev/null || echo sudo -n env PYTHONDONTWRITEBYTECODE=1)
MICROPYTHON := $(PYTHON3) tools/build_micropython.py
FORMATTED := firmware host_tools tools tests boards

.PHONY: help setup fmt check demo pico test test-unit test-device test-cli test-power test-power-long
.PHONY: test-install-long image images interpreter bench bench-login lock packages wheel tables clean
.PHONY: pam pam-statuses servers test-login deb debian-base

help:  ## List the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r name text; do printf '  %-16s %s\n' "$$name" "$$text"; done

demo: setup  ## See it work: a simulated device and a login, no hardware, no root
	@$(VENV)/python -m tests.demo

pico: setup image  ## The same with the Pico's real image in an emulated RP2040
	@$(VENV)/python -m tests.demo --board $(BOARD)

setup:  ## Make build/venv, with every pinned dependency and this project
	@$(PYTHON3) tools/bootstrap.py

fmt: setup  ## Format the Python code and mend what ruff can
	$(VENV)/ruff format $(FORMATTED)
	$(VENV)/ruff check --fix $(FORMATTED)

check: setup pam  ## Formatting, lint, types and layering
	$(VENV)/ruff format --check $(FORMATTED)
	$(VENV)/ruff check $(FORMATTED)
	$(VENV)/mypy
	$(VENV)/python tools/readme_tables.py --check
	$(VENV)/python tools/pam_statuses.py --check
	$(PYTEST) -q tests/unit/test_layering_cpython.py

pam: build/pam/pam_understudy.so  ## Build the PAM module, build/pam/pam_understudy.so

pam-statuses: setup  ## Write host_tools/pam/statuses.h from the protocol's statuses
	$(VENV)/python tools/pam_statuses.py

tables: setup  ## Write README's tables: wiring, configuration, PAM codes, who decides
	$(VENV)/python tools/readme_tables.py

test: setup servers interpreter images check pam-test deb debian-base  ## Everything, as CI runs it
	$(PYTEST) -n 2 --dist worksteal tests $(if $(AS_ROOT),--ignore tests/login)
	$(if $(AS_ROOT),$(AS_ROOT) $(PYTEST) -n 2 --dist worksteal -p no:cacheprovider tests/login)

test-unit: setup interpreter  ## The unit tests, under CPython and under MicroPython
	$(PYTEST) -n 2 --dist worksteal tests/unit

test-device: setup images  ## The tests on the emulated Pico
	$(PYTEST) -n 2 --dist worksteal tests/device

test-cli: setup images  ## The tests of the command line
	$(PYTEST) -n 2 --dist worksteal tests/cli

test-login: setup servers images pam-test deb debian-base  ## The tests of logins: the PAM module, the broker, sshd, sudo, su
	$(AS_ROOT) $(PYTEST) -n 2 --dist worksteal $(if $(AS_ROOT),-p no:cacheprovider) tests/login

test-power: setup images  ## The power cuts of every command, under CPython and on the emulated Pico
	$(PYTEST) -n 2 --dist worksteal tests/power

test-power-long: setup images  ## Power cuts in random workloads for UNDERSTUDY_POWER_SECONDS (900), counted
	$(PYTEST) tests/power/long_power.py

test-install-long: setup images  ## The firmware by mpremote onto an emulated stock Pico: a quarter of an hour
	$(PYTEST) tests/device/long_install.py

image: setup  ## Build build/images/BOARD/firmware.uf2: rpi_pico (default) or rpi_pico2, locked; -dev: with a prompt
	@$(MICROPYTHON) image $(BOARD)

images: setup  ## Build every image the tests use
	@$(MICROPYTHON) image rpi_pico rpi_pico-dev rpi_pico-bare rpi_pico2 stock

interpreter: setup  ## Build MicroPython's Unix interpreter and mpy-cross
	@$(MICROPYTHON) interpreter

bench: setup packages pam  ## Measure on the emulated Pico, and a login beside what else checks codes for PAM
	@$(MICROPYTHON) image rpi_pico rpi_pico-bare
	@$(VENV)/python tests/bench/bench.py
	@echo
	@$(VENV)/python tests/bench/login.py

bench-login: setup packages pam  ## The latter alone; takes root, for a mount namespace
	@$(VENV)/python tests/bench/login.py

packages:  ## Install the Debian packages that building and testing take, or unpack them into build
	@$(PYTHON3) tools/debian_packages.py build test unpacked

servers: setup packages  ## Make build/privacyidea, a real 2FA server for the tests: half a gigabyte
	@$(PYTHON3) tools/make_servers.py

lock: setup  ## Resolve what is pinned anew: requirements.lock, firmware.lock and tools/privacyidea.lock
	$(VENV)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--extra simulator --extra install --custom-compile-command 'make lock' \
		--output-file requirements.lock pyproject.toml requirements.in
	$(VENV)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-deps \
		--custom-compile-command 'make lock' --output-file firmware.lock firmware.in
	$(VENV)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command 'make lock' --output-file tools/privacyidea.lock tools/privacyidea.in

deb: setup pam wheel  ## Build the Debian package build/dist/understudy_VERSION_ARCH.deb
	@$(VENV)/python tools/make_deb.py

debian-base: packages  ## Make build/debian-base.tar, a small Debian for the tests of the package; takes root
	@$(AS_ROOT) $(PYTHON3) tools/make_debian_base.py

wheel: setup  ## Build the wheel into build/dist
	rm -rf build/lib build/bdist.*
	$(VENV)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/dist .

clean:  ## Remove everything that was made
	rm -rf build .mypy_cache .pytest_cache .ruff_cache .hypothesis

include host_tools/pam/pam.mk
