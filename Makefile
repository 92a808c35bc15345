# All that is done with the project, each by one word. `make help` lists them.

CARGO ?= cargo
# Cargo knows where it builds to. It runs in several folders, which have to agree on that.
ifdef CARGO_TARGET_DIR
override export CARGO_TARGET_DIR := $(if $(filter /%,$(firstword $(CARGO_TARGET_DIR))),,$(CURDIR)/)$(CARGO_TARGET_DIR)
endif
NAP := $(CARGO) run --quiet --release --locked -p nap-cli --
RECORDING := fixtures/recordings/rc1_two_uplinks
# Recordings that we may not copy into the project; their tests run where this folder has them.
export NAP_LOCAL_RECORDINGS ?= $(CURDIR)/../shared/captures
# Any Python from 3.9 on; the tools below are installed into a folder of their own.
export PYTHON ?= python3
VENV := .venv/bin
PACKAGE := nap-py/python/nap_sdr
# Seconds for each fuzz target.
FUZZ_SECONDS ?= 30
# Which of them are part of `make test`: `python-test`, or `python-test-all`.
PYTHON_TESTS ?= python-test
# With SoapySDR: `yes`, `no`, or `auto` if it is there.
SOAPY ?= auto
comma := ,
# Asked when it is needed: `make live-tools` may have brought it.
FEATURES = $(if $(filter yes,$(shell tools/live-tools soapy $(SOAPY))),--all-features,--features nap-phy/scene$(comma)nap-c/test-hooks$(comma)nap-c/pool)
# What the tests of live reception and of the C library need of Debian: headers and compilers for the bindings,
# what watches memory, a radio over the network, the bus without which its server does not run, and GNU Radio. None of these
# starts a service.
LIVE_PACKAGES := libsoapysdr-dev libclang-dev pkg-config g++ valgrind soapysdr-module-remote dbus-daemon gnuradio
# Programs out of packages that would start one.
export PATH := $(CURDIR)/out/live-tools:$(PATH)
# The C library with frames alone, which links without `std`.
FRAMES_C = $(CARGO) rustc --profile frames --locked -p nap-c --no-default-features --features panic-handler \
	--crate-type staticlib
# The packages for others, the innermost first.
PUBLISHED := nap-dsp nap-phy nap-io nap-plot nap-station nap-cli
# The oldest Rust that all of it builds with.
MSRV = $(shell sed -n 's/^rust-version = "\(.*\)"/\1.0/p' Cargo.toml)
# Minutes of listening.
SOAK_MINUTES ?= 15

.DEFAULT_GOAL := help
.PHONY: help nap demo waterfall receiver-pictures one-message tune test live-tools virtual-device fmt lint unit no-std doc fuzz soak soak-live soak-network station-kills station-power station-days station-air station-bench bench sensitivity scenarios carriers foreign-air clean
.PHONY: python python-types python-test python-test-all python-install python-docs python-pictures
.PHONY: python-bench python-manylinux install install-c small-c day firmware memory cross-c miri features msrv package newcomer deb deb-trial service-trial

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26

nap: ## build the command
	$(CARGO) build --release --locked -p nap-cli

demo: nap ## decode a recording of two devices
	$(NAP) decode $(RECORDING).sigmf-meta --devices $(RECORDING).devices.csv

newcomer: ## clone, and do what the README says, in its order
	tools/newcomer

waterfall: nap ## draw docs/waterfall.png anew
	$(NAP) waterfall $(RECORDING).sigmf-meta -o docs/waterfall.png

# What can be tested is known once all is there that can be brought.
test: live-tools ## all checks; the tests themselves come last
	$(MAKE) --no-print-directory fmt lint no-std doc \
		$(if $(filter yes,$(shell tools/live-tools python)),$(PYTHON_TESTS)) unit
	@tools/live-tools left-out $(SOAPY)

live-tools: ## bring SoapySDR and what else tests of live reception need, if it is missing
	@tools/live-tools install $(SOAPY) $(LIVE_PACKAGES)

# A SoapySDR device that plays recordings and misbehaves when told to.
VIRTUAL_DEVICE := out/virtual-device/libnapvirtual.so

virtual-device: $(VIRTUAL_DEVICE) ## the SoapySDR module that plays recordings

$(VIRTUAL_DEVICE): $(wildcard virtual-device/*.cpp virtual-device/*.hpp)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O3 -Wall -Wextra -Werror -shared -fPIC -o $@ $(filter %.cpp,$^) -lSoapySDR

fmt: ## check the layout of the code
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check

lint: ## clippy, who imports whom, words of names and documents, sources of constants; a warning is an error
	$(CARGO) clippy --locked --workspace --all-targets $(FEATURES) -- -D warnings
	$(if $(filter --all-features,$(FEATURES)),\
		$(CARGO) clippy --locked -p nap-io -p nap-cli --all-targets -- -D warnings)
	$(CARGO) run --quiet --locked -p nap-imports
	$(CARGO) run --quiet --locked -p nap-words
	@# Where packages are shown there is nothing around them that a link could lead to.
	! grep -n ']([^h#]' $(PUBLISHED:=/README.md) nap-py/README.md
	@# Licences, advisories and sources of dependencies.
	! command -v cargo-deny >/dev/null || $(CARGO) deny check
	@# The fuzz targets have a lock file of their own, which a new dependency leaves behind.
	$(CARGO) metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null

unit: ## tests and examples in the documentation
	$(CARGO) test --locked --workspace $(FEATURES) -- $(shell tools/live-tools skip)

no-std: ## the frame halves of nap-phy and nap-c, by themselves
	$(CARGO) clippy --locked -p nap-phy --no-default-features -- -D warnings
	$(CARGO) test --locked -p nap-phy --no-default-features
	$(FRAMES_C)

features: ## every package with no feature, with each alone, and with all
	tools/features $(CARGO)

msrv: ## what is given to others builds with the oldest Rust that it promises, where rustup has it
	@if rustup run $(MSRV) rustc --version; then \
		CARGO_TARGET_DIR="$(or $(CARGO_TARGET_DIR),target)/msrv" rustup run $(MSRV) \
			cargo check --locked $(addprefix -p ,$(PUBLISHED) nap-c nap-py) --all-targets; \
	else \
		echo "Left out: it takes rustup toolchain install $(MSRV)."; \
	fi

package: ## what others would get of each package, built from that alone
	$(CARGO) package --locked $(addprefix -p ,$(PUBLISHED))

doc: ## the crates' documentation; a warning is an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace $(FEATURES) --no-deps

fuzz: ## run every fuzz target for FUZZ_SECONDS
	fuzz/run $(FUZZ_SECONDS)

soak: nap ## ten minutes of noise give no message
	mkdir -p out
	$(NAP) simulate examples/scenes/noise.toml -o out/noise.sigmf-meta
	test -z "$$($(NAP) decode out/noise.sigmf-meta)"

# What goes wrong in the field, at length; `make test` has a short version of each.
FIELD = $(CARGO) test --locked -p nap-cli --test field -- --nocapture --test-threads 1

station-kills: live-tools ## kill a station at 200 moments while broker and server come and go, and look at what is left
	NAP_KILLS=200 $(FIELD) killed_at_any_moment

station-power: live-tools ## cut the power at 200 moments of a station's life
	NAP_POWER_CUTS=200 $(FIELD) synced_before_sent

station-days: live-tools ## five days of 900 messages with all that is wrong on the air, and a day without backhaul
	NAP_DAYS=5 $(FIELD) days::

station-air: live-tools ## twenty minutes of sixty devices, from samples to the relays
	NAP_AIR=1 $(FIELD) air::

station-bench: live-tools ## what a station takes, and how fast it is; a quarter of an hour
	NAP_BENCH=1 $(FIELD) figures::

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

foreign-air: ## count what is reported of recordings of other systems, at 20 other rates and mirrored
	$(CARGO) run --release --locked -p nap-benches --bin foreign_air -- "$(NAP_LOCAL_RECORDINGS)/real_air"

tune: ## change each threshold by itself and print what it costs: docs/tuning.md
	$(CARGO) run --quiet --release --locked -p nap-benches --bin tune

receiver-pictures: ## draw the pictures of docs/receiver.md anew
	$(CARGO) run --quiet --release --locked -p nap-benches --bin receiver_pictures

one-message: ## follow the frames of a message at 1 dB through the stages: the table of docs/receiver.md
	$(CARGO) run --quiet --release --locked -p nap-benches --bin one_message

carriers: ## what is lost of carriers that wander and fade: a table
	$(CARGO) run --release --locked -p nap-benches --bin carriers

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

python-test: python-types nap ## tests of the Python package that take seconds
	$(VENV)/pytest --quiet -rs

python-test-all: python-types nap ## all tests of the Python package: notebooks and clusters too
	$(VENV)/pytest --quiet -rs -m "slow or not slow"

python-install: .venv/tests ## build the package and its sources, install each in a clean place, and decode
	rm -rf out/dist
	$(VENV)/maturin sdist --out out/dist
	$(VENV)/pip wheel --quiet --no-deps --wheel-dir out/dist .
	@# What others wrote need not be compiled once more for the sources.
	CARGO_TARGET_DIR="$(or $(CARGO_TARGET_DIR),$(CURDIR)/target)" \
		$(PYTHON) nap-py/tools/install.py $(RECORDING).sigmf-meta out/dist/*

python-manylinux: .venv/tests ## a wheel for any Linux with glibc 2.17 or later, in out/dist
	$(VENV)/pip install --quiet ziglang
	@# The compiler is a module of this Python, which is looked for on the path.
	PATH="$(CURDIR)/$(VENV):$$PATH" $(VENV)/maturin build --quiet --release --locked --zig \
		--compatibility manylinux2014 --out out/dist
	$(PYTHON) nap-py/tools/install.py $(RECORDING).sigmf-meta out/dist/*manylinux*.whl

python-docs: python .venv/docs ## the documentation site with the notebooks: out/site
	$(VENV)/mkdocs build --quiet --strict

python-pictures: python ## draw the pictures of docs/python anew
	$(VENV)/python nap-py/tools/pictures.py

python-bench: python ## time of Python over that of Rust, and of two threads over one after the other
	$(VENV)/python nap-py/tools/bench.py

# Where programs and libraries go; packagers put `DESTDIR` before it.
PREFIX ?= /usr/local
# What the C library has beside the receiver: for example `C_FEATURES=pool`.
C_FEATURES ?=

install: ## build the command and install it with completions and manual pages: PREFIX=/usr/local, SOAPY=yes
	$(CARGO) build --release --locked -p nap-cli $(if $(filter yes,$(SOAPY)),--features soapy)
	nap-cli/install "$(DESTDIR)$(PREFIX)" "$(or $(CARGO_TARGET_DIR),target)/release/nap"

install-c: ## build the C library and install it: PREFIX=/usr/local
	$(CARGO) build --release --locked -p nap-c --features "$(C_FEATURES)"
	nap-c/install "$(PREFIX)" "$(or $(CARGO_TARGET_DIR),target)/release" "$(DESTDIR)"

small-c: ## the C library for small machines: its sizes, whole and with frames alone
	$(CARGO) build --profile small --locked -p nap-c
	size -t "$(or $(CARGO_TARGET_DIR),target)/small/libnap_c.so"
	$(FRAMES_C)
	nap-c/frames-size "$(or $(CARGO_TARGET_DIR),target)/frames/libnap_c.a"

# Minutes of the crowd; 0 for one scene of it.
MEMORY_MINUTES ?= 0

memory: ## what a receiver takes of memory and stack, by part and measured, also for MEMORY_MINUTES of a crowd
	$(CARGO) run --quiet --release --locked -p nap-benches --bin memory
	$(CARGO) build --release --locked -p nap-c --features pool
	$(CARGO) build --release --locked -p nap-benches --bin crowds
	nap-c/memory "$(or $(CARGO_TARGET_DIR),target)/release" "$(or $(CARGO_TARGET_DIR),target)/release/crowds" $(MEMORY_MINUTES)

cross-c: ## the C library for aarch64, armv7 and Cortex-M: sizes, and the example's messages under qemu-user
	nap-c/cross

miri: ## the calls of the C library under Miri, with a nightly Rust that has it
	MIRIFLAGS="-Zmiri-disable-isolation" $(CARGO) +nightly miri test --locked -p nap-c --lib --test calls --features test-hooks

day: ## a day with 840 messages, part by part
	$(CARGO) bench --locked -p nap-benches --bench day

firmware: ## how long a driver's thread is held in a crowd
	$(CARGO) run --release --locked -p nap-benches --bin firmware

# What makes Debian packages out of what cargo has built.
CARGO_DEB_VERSION := 3.8.0
CARGO_DEB := out/cargo-deb/bin/cargo-deb
# Debug information is four fifths of the program, which is for small machines too.
MAKE_DEB := $(CARGO_DEB) --quiet --no-build --strip --locked -p nap-cli

$(CARGO_DEB):
	$(CARGO) install cargo-deb --quiet --locked --version $(CARGO_DEB_VERSION) --root out/cargo-deb

deb: $(CARGO_DEB) ## the access point as a Debian package, in out/deb: SOAPY=no for recordings and network sources alone
	$(CARGO) build --release --locked -p nap-cli $(if $(filter yes,$(shell tools/live-tools soapy $(SOAPY))),--features soapy)
	rm -rf out/deb
	nap-cli/install out/deb "$(or $(CARGO_TARGET_DIR),target)/release/nap"
	rm -r out/deb/bin
	$(MAKE_DEB) --output out/deb/

deb-trial: ## install, run, upgrade, remove and purge that package, as root on a machine without a station
	packaging/trial
	$(MAKE) --no-print-directory deb
	$(MAKE_DEB) --deb-revision 2 --output out/deb/second.deb
	packaging/trial out/deb/nap-station_*.deb out/deb/second.deb

service-trial: nap ## the unit under a systemd of its own, as root: started, killed, halted, stopped, a wrong configuration
	packaging/service-trial "$(or $(CARGO_TARGET_DIR),target)/release/nap"

clean: ## remove what was built
	$(CARGO) clean
	$(CARGO) clean --manifest-path fuzz/Cargo.toml --target-dir fuzz/target
	rm -rf out/deb out/dist out/virtual-device
