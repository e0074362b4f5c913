# Everything that a person does with this tree. `make help` lists it.

SHELL := /bin/bash
PREFIX ?= /usr
DESTDIR ?=
BINARY := .build/release/archway
# Without a terminal's colours: SwiftPM builds all anew when only these have changed.
SWIFT := TERM=dumb swift
RELEASE := $(SWIFT) build --configuration release --static-swift-stdlib --product archway
REPORT := .build/test.log
TESTING := --explicit-target-dependency-import-check error

.PHONY: help run test test-openwebui soak fuzz bench build install clean packages

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

run: build ## Start everything on this machine: PostgreSQL, nginx on 127.0.0.1:8080, the gateway (Ctrl-C stops all)
	@exec $(BINARY) dev $(ARGS)

# One after the other: the tests share one event loop, and some of them measure. What failed is said once more at
# the end, as it is lost among thousands of lines.
test: packages ## Build and run all tests
	$(SWIFT) build --build-tests $(TESTING)
	@set -o pipefail; $(SWIFT) test --skip-build --disable-xctest --no-parallel 2>&1 | tee $(REPORT) || \
		{ grep -a -A 1 'recorded an issue\|^error:' $(REPORT) | cut -c 1-300 | tail -n 20; exit 1; }

# Not part of `make test`: it installs some gigabytes. ARGS="--pictures Docs/images" renews the manual's pictures.
test-openwebui: ## Drive the real Open WebUI in a real browser (installs it from PyPI, 8 GB)
	@.ci/packages chromium fonts-dejavu-core
	$(SWIFT) build --product archway
	$(SWIFT) build --product scripted-provider
	@exec Tests/OpenWebUI/run $(ARGS)

fuzz: packages ## Feed the readers of foreign bytes with made-up inputs for a minute (ARGS="--seconds 600 json")
	@exec Tests/Fuzz/run $(ARGS)

# Not part of `make test`, which does the same for a few seeds: this takes as long as it is told to.
soak: build ## Long proofs: ARGS="--seeds 100 [--first-seed N]", "--kills 2000" or "--minutes 30"
	$(SWIFT) build --configuration release --static-swift-stdlib --product soak
	@exec .build/release/soak $(ARGS)

bench: build ## Measure the gateway against plain nginx and print the ratios
	@exec Tests/Bench/bench $(ARGS)

build: packages ## Build .build/release/archway, with the Swift runtime inside
	$(RELEASE)

packages:
	@.ci/packages

# `sudo make install` often has no Swift in its PATH; then the binary of an earlier `make build` is taken.
install: ## Lay out binary, units, nginx files, sample configuration, man page (DESTDIR=, PREFIX=/usr)
	@if command -v swift >/dev/null; then $(RELEASE); \
	elif [ ! -x $(BINARY) ]; then echo "Run 'make build' first." >&2; exit 1; fi
	install -D -m 755 $(BINARY) "$(DESTDIR)$(PREFIX)/bin/archway"
	install -d "$(DESTDIR)$(PREFIX)/lib/systemd/system"
	sed 's,/usr/bin/archway,$(PREFIX)/bin/archway,' systemd/archway.service \
		>"$(DESTDIR)$(PREFIX)/lib/systemd/system/archway.service"
	chmod 644 "$(DESTDIR)$(PREFIX)/lib/systemd/system/archway.service"
	install -D -m 644 systemd/archway.socket "$(DESTDIR)$(PREFIX)/lib/systemd/system/archway.socket"
	install -D -m 644 systemd/archway.sysusers "$(DESTDIR)$(PREFIX)/lib/sysusers.d/archway.conf"
	install -D -m 644 systemd/archway.tmpfiles "$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/archway.conf"
	install -D -m 644 nginx/archway-snippet.conf "$(DESTDIR)/etc/nginx/snippets/archway.conf"
	install -D -m 644 nginx/archway-site.conf "$(DESTDIR)$(PREFIX)/share/doc/archway/examples/nginx-site.conf"
	install -D -m 644 Docs/archway.yaml "$(DESTDIR)$(PREFIX)/share/doc/archway/examples/archway.yaml"
	install -D -m 644 LICENSE "$(DESTDIR)$(PREFIX)/share/doc/archway/copyright"
	install -D -m 644 Docs/archway.8 "$(DESTDIR)$(PREFIX)/share/man/man8/archway.8"
	@test -e "$(DESTDIR)/etc/archway/archway.yaml" \
		|| install -D -m 640 Docs/archway.yaml "$(DESTDIR)/etc/archway/archway.yaml"

clean: ## Remove what was built (never .archway, which holds the data of `make run`)
	rm -rf .build
