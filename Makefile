# The verbs of the project. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PLAY := $(VENV)/bin/ansible-playbook -i inventories/local
# More words for ansible-playbook: make up ARGS='--check --diff'
ARGS ?=
comma := ,

.PHONY: help venv venv-test up down images test-binaries lint schema test test-unit

help: ## Show what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: ## Make the virtual environment .venv with Ansible
	@scripts/venv requirements.txt

venv-test: ## The same, with the tools of the tests
	@scripts/test-programs
	@scripts/venv requirements-test.txt

up: venv ## Bring up everything on this machine: images, cluster, platform
	@$(PLAY) playbooks/site.yml $(ARGS)

down: venv ## Remove the local cluster with all its data (what was built stays in the cache)
	@$(PLAY) playbooks/down.yml $(ARGS)

images: venv ## Bring images up to date, also in the cluster; NAMES=keycloak,traefik for some of them
	@$(PLAY) playbooks/images.yml $(if $(NAMES),-e '{"cloud_cluster_image_names": ["$(subst $(comma),"$(comma)",$(NAMES))"]}') $(ARGS)

test-binaries: venv ## Compile kube-apiserver, etcd and kubectl for the contract tests
	@$(PLAY) playbooks/test_binaries.yml $(ARGS)

lint: venv-test ## Check style and types (ansible-lint, yamllint, ruff, mypy)
	@tests/run lint

schema: venv ## Write docs/config.schema.json anew from the roles' argument specs
	@$(VENV)/bin/ansible-playbook playbooks/schema.yml

test-unit: venv-test ## Run the fast tests (seconds)
	@tests/run unit conventions

test: venv-test ## Run every test, the platform on its own cluster included
	@tests/run
