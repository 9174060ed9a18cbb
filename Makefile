# The verbs of the project. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
LINK := .ansible/collections/ansible_collections/qhub/platform

.PHONY: help venv lint schema test test-unit

help: ## Show what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(VENV)/.ready $(LINK) ## Make the virtual environment with Ansible and all tools

$(VENV)/.ready: requirements.txt requirements-test.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement requirements-test.txt
	@touch $@

$(LINK):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@

lint: venv ## Check style and types (ansible-lint, yamllint, ruff, mypy)
	@tests/run lint

schema: venv ## Write docs/config.schema.json anew from the roles' argument specs
	@$(VENV)/bin/ansible-playbook playbooks/schema.yml

test-unit: venv ## Run the fast tests (seconds)
	@tests/run unit conventions

test: venv ## Run every test, the platform on its own cluster included
	@tests/run
