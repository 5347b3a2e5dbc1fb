# The commands of a day's work. CI runs .ci/run, which needs no make.

GO      ?= go
IMAGE   ?= onward:dev
PKG     ?= ./...
BENCH   ?= .
REQUESTS ?= 50000

# The linter in the version that CI uses. The first call builds it, which takes minutes.
golangci_lint_version := $(shell sed -n 's/^golangci_lint_version=//p' .ci/run)
golangci_lint := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(golangci_lint_version)
race_packages := $(shell sed -n 's/^race_packages=(\(.*\))/\1/p' .ci/run)

.DEFAULT_GOAL := help
.PHONY: help demo test race lint fmt fuzz fuzz-api bench openapi sbom reproducible ci image clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PKG=./matcher/... narrows test and bench, BENCH=Rank chooses benchmarks, IMAGE=name:tag names the image."

demo: ## a fictional caseload, one ranked list, and a server until Ctrl-C
	$(GO) run ./cmd/onward demo

test: ## all tests; what is missing on the machine is skipped and says so
	$(GO) test $(PKG)

race: ## the packages where goroutines meet, under the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 20m $(race_packages)

lint: ## go vet and golangci-lint
	$(GO) vet ./...
	$(golangci_lint) run ./...

fmt: ## gofumpt
	$(golangci_lint) fmt

fuzz: ## every parser for ONWARD_FUZZ_TIME (60s), four at once
	bash .ci/fuzz

fuzz-api: ## REQUESTS (50000) made from the OpenAPI document to a server of its own
	bash .ci/fuzz-api $(REQUESTS)

bench: ## the benchmarks beside the code; the whole way through HTTP is `onward bench`
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem $(PKG)

openapi: ## write docs/openapi.json
	$(GO) run ./cmd/onward openapi > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

sbom: ## the bill of materials, CycloneDX, as dist/onward.cdx.json
	bash .ci/sbom

reproducible: ## build twice and compare
	bash .ci/reproducible

ci: ## everything that CI does
	bash .ci/run

image: ## the container image
	docker build -f deploy/Dockerfile -t $(IMAGE) .

clean: ## remove what builds and profiles left here
	rm -rf bin dist coverage.* docs/openapi.json.new
	find . -name '*.test' -o -name '*.prof' -o -name '*.out' | grep -v '^./.git/' | xargs -r rm -f
