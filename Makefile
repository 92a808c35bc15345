# All that is done with the project, each by one word. `make help` lists them.

CARGO ?= cargo
NAP := target/release/nap
RECORDING := fixtures/recordings/rc1_two_uplinks
# Recordings that we may not copy into the project; their tests run where this folder has them.
export NAP_LOCAL_RECORDINGS ?= $(abspath ../shared/captures)
# Any Python from 3.9 on; the tools below are installed into a folder of their own.
PYTHON ?= python3
VENV := .venv/bin
PACKAGE := nap-py/python/nap_sdr
# Seconds for each fuzz target.
FUZZ_SECONDS ?= 30
# `make test SOAPY=no` does without SoapySDR.
SOAPY ?= yes
ifeq ($(SOAPY),yes)
FEATURES := --all-features
else
FEATURES := --features nap-phy/serde
endif
# What the tests of live reception need of Debian: headers and compiler for the bindings, the tools, a
# server and the daemons that it does not run without, and Prometheus' checker.
LIVE_PACKAGES := libsoapysdr-dev libclang-dev pkg-config g++ soapysdr-tools soapyremote-server \
	soapysdr-module-remote avahi-daemon dbus prometheus
# Minutes of listening.
SOAK_MINUTES ?= 15

.DEFAULT_GOAL := help
.PHONY: help demo waterfall test live-tools virtual-device fmt lint unit no-std doc fuzz soak soak-live soak-network bench sensitivity scenarios clean
.PHONY: python python-types python-test python-test-all python-install python-docs python-pictures
.PHONY: python-bench

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(NAP) ## decode a recording of two devices
	$(NAP) decode $(RECORDING).sigmf-meta --devices $(RECORDING).devices.csv

waterfall: $(NAP) ## draw docs/waterfall.png anew
	$(NAP) waterfall $(RECORDING).sigmf-meta -o docs/waterfall.png

# Cargo knows what has changed.
.PHONY: $(NAP)
$(NAP):
	$(CARGO) build --release --locked -p nap-cli

test: live-tools fmt lint no-std doc python-test unit ## all checks; the tests themselves come last

live-tools: ## install SoapySDR and what else tests of live reception need, if it is missing
ifeq ($(SOAPY),yes)
	@missing="$$(for package in $(LIVE_PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo $$package; done)"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ]; then \
		echo "Missing:" $$missing; \
		echo "Install it (apt-get install" $$missing") or do without SoapySDR: make test SOAPY=no"; exit 1; fi; \
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing
endif

# A SoapySDR device that plays recordings and misbehaves when told to.
VIRTUAL_DEVICE := target/virtual-device/libnapvirtual.so

virtual-device: $(VIRTUAL_DEVICE) ## the SoapySDR module that plays recordings

$(VIRTUAL_DEVICE): $(wildcard virtual-device/*.cpp virtual-device/*.hpp)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O3 -Wall -Wextra -Werror -shared -fPIC -o $@ $(filter %.cpp,$^) -lSoapySDR

fmt: ## check the layout of the code
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check

lint: ## clippy; a warning is an error
	$(CARGO) clippy --locked --workspace --all-targets $(FEATURES) -- -D warnings
ifeq ($(SOAPY),yes)
	$(CARGO) clippy --locked -p nap-io -p nap-cli --all-targets -- -D warnings
endif
	@# The fuzz targets have a lock file of their own, which a new dependency leaves behind.
	$(CARGO) metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null

unit: ## tests and examples in the documentation
	$(CARGO) test --locked --workspace $(FEATURES)

no-std: ## the frame half of nap-phy, by itself
	$(CARGO) clippy --locked -p nap-phy --no-default-features -- -D warnings
	$(CARGO) test --locked -p nap-phy --no-default-features

doc: ## the crates' documentation; a warning is an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace $(FEATURES) --no-deps

fuzz: ## run every fuzz target for FUZZ_SECONDS
	fuzz/run $(FUZZ_SECONDS)

soak: $(NAP) ## ten minutes of noise give no message
	mkdir -p out
	$(NAP) simulate examples/scenes/noise.toml -o out/noise.sigmf-meta
	test -z "$$($(NAP) decode out/noise.sigmf-meta)"

soak-live: live-tools virtual-device ## listen for SOAK_MINUTES at ten times the speed, with 20 faults
	NAP_SOAK_MINUTES=$(SOAK_MINUTES) $(CARGO) test --locked -p nap-cli --features soapy --test soapy \
		-- --exact --nocapture soak

soak-network: ## listen for SOAK_MINUTES in real time over a network that pauses and catches up
	NAP_SOAK_MINUTES=$(SOAK_MINUTES) $(CARGO) test --locked -p nap-cli --test network \
		-- --exact --nocapture soak

bench: ## criterion benches, then the receiver's cost in one table
	$(CARGO) bench --locked -p nap-benches --bench receiver
	$(CARGO) run --release --locked -p nap-benches --bin speed

sensitivity: ## loss of messages over Eb/N0: docs/sensitivity.md with pictures and tables
	$(CARGO) run --release --locked -p nap-benches --bin sensitivity -- --output docs

scenarios: ## who is heard where devices meet
	$(CARGO) run --release --locked -p nap-benches --bin scenarios

.venv/tests: nap-py/requirements/test.txt nap-py/requirements/constraints.txt
	test -d .venv || $(PYTHON) -m venv .venv
	$(VENV)/pip install --quiet -r nap-py/requirements/test.txt
	touch $@

.venv/docs: nap-py/requirements/docs.txt .venv/tests
	$(VENV)/pip install --quiet -r nap-py/requirements/docs.txt
	touch $@

python: .venv/tests ## build the Python package into .venv
	$(VENV)/maturin develop --quiet --release --locked

python-types: python ## types of the Python package, its tests and notebooks
	$(VENV)/python nap-py/tools/notebook_types.py
	$(VENV)/mypy $(PACKAGE) nap-py/tests nap-py/tools out/notebooks
	cd nap-py/python && ../../$(VENV)/python -m mypy.stubtest nap_sdr._nap

python-test: python-types $(NAP) ## tests of the Python package that take seconds
	$(VENV)/pytest --quiet -rs

python-test-all: python-types $(NAP) ## all tests of the Python package: notebooks and clusters too
	$(VENV)/pytest --quiet -rs -m "slow or not slow"

python-install: ## pip install . in a clean folder, and decode
	rm -rf out/clean && $(PYTHON) -m venv out/clean
	out/clean/bin/pip install --quiet .
	out/clean/bin/python -W error -c "import nap_sdr; \
		messages = nap_sdr.decode_file('$(RECORDING).sigmf-meta'); print(messages); assert len(messages) == 2"

python-docs: python .venv/docs ## the documentation site with the notebooks: out/site
	$(VENV)/mkdocs build --quiet --strict

python-pictures: python ## draw the pictures of docs/python anew
	$(VENV)/python nap-py/tools/pictures.py

python-bench: python ## time of Python over that of Rust, and of two threads over one after the other
	$(VENV)/python nap-py/tools/bench.py

clean: ## remove what was built
	$(CARGO) clean
	$(CARGO) clean --manifest-path fuzz/Cargo.toml
