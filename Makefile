# Everything a person does here. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
wane := .build/release/wane

.PHONY: help bootstrap build demo test lint format torture fuzz bench reference man clean

help: ## list these
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

bootstrap: ## install what the build needs
	@Scripts/bootstrap

build: bootstrap ## build the command in release
	@swift build -c release

demo: build ## simulate a log, train, compare, draw, report
	@$(wane) demo --output demo

test: ## run all tests
	@Scripts/bootstrap tests
	@swift build --build-tests -c debug
	@swift test --skip-build

lint: ## check the format of all Swift files
	@swift format lint --strict --recursive --parallel Package.swift Sources Tests Fuzz

format: ## format all Swift files
	@swift format --in-place --recursive --parallel Package.swift Sources Tests Fuzz

torture: ## treat a service badly, ID=D1 (kills under writers) or one of the checks in Tests/Torture; all when absent
	@Scripts/bootstrap tests
	@case "$${ID:-D1}" in *D1*) swift build --build-tests -c debug && WANE_KILLS=$${KILLS:-500} swift test --skip-build --filter ServiceCrashTests.kills;; esac
	@[ "$${ID:-}" = D1 ] || { swift build -c release && python3 Tests/Torture/torture.py; }

fuzz: bootstrap ## fuzz the parsers; SECONDS_EACH=600 for ten minutes each
	@Scripts/fuzz

bench: build ## time reading and training beside named peers
	@Benchmarks/run

reference: ## make the fixtures of Tests/Reference anew
	@Tests/Reference/make

man: bootstrap ## write the man pages into .build/man
	@swift package plugin generate-manual --multi-page
	@rm -rf .build/man && cp -r .build/plugins/GenerateManual/outputs/wane .build/man
	@ls .build/man | sed 's#^#man -l .build/man/#'

clean: ## remove what was built
	@rm -rf .build demo
