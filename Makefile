# Every command a newcomer or a contributor needs. Nothing has to be prepared but Python 3.11 or newer, git and make.

PYTHON ?= python3
PORT ?= 8000
STEPS ?=
VENV := .venv/bin/python
OSCAR := example_site.oscar.settings

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset demo-oscar demo-oscar-reset test check migrations messages fmt bench clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1@\2/p' Makefile | awk -F@ '{ printf "%-24s%s\n", $$1, $$2 }'

demo: ## install, load the example shop once, serve it on PORT (8000)
	@$(PYTHON) scripts/environment.py demo
	@exec $(VENV) scripts/demo.py --port $(PORT)

demo-reset: ## renew the example shop's data
	@$(PYTHON) scripts/environment.py demo
	@exec $(VENV) scripts/demo.py --reset --port $(PORT)

demo-oscar: ## the same next step in an unmodified django-oscar shop
	@$(PYTHON) scripts/environment.py oscar
	@exec $(VENV) scripts/demo.py --settings $(OSCAR) --port $(PORT)

demo-oscar-reset: ## renew the django-oscar shop's data
	@$(PYTHON) scripts/environment.py oscar
	@exec $(VENV) scripts/demo.py --settings $(OSCAR) --reset --port $(PORT)

test: ## everything: lint, types, SQLite, PostgreSQL, Oscar, browser, wheel (STEPS="browser wheel" runs some)
	@$(PYTHON) scripts/environment.py dev
	@exec $(VENV) scripts/run_tests.py $(STEPS)

check: ## the quick part of "make test": lint, types, migrations, tests on SQLite
	@$(PYTHON) scripts/environment.py dev
	@exec $(VENV) scripts/run_tests.py lint types templates migrations scripts sqlite

migrations: ## renew the one migration of each app (until the first release)
	@$(PYTHON) scripts/environment.py dev
	@$(VENV) scripts/renew_migrations.py

messages: ## take up new texts into locale/ and compile it (no gettext tools needed)
	@$(PYTHON) scripts/environment.py dev
	@$(VENV) scripts/messages.py

fmt: ## format the code and fix what can be fixed
	@$(PYTHON) scripts/environment.py dev
	@$(VENV) -m ruff check --fix-only --quiet .
	@$(VENV) -m ruff format .

bench: ## the benchmarks of benchmarks/, on SQLite and on a throw-away PostgreSQL
	@$(PYTHON) scripts/environment.py dev
	@exec $(VENV) -m benchmarks

clean: ## remove the virtual environment, caches and builds; the demo's data stay
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov test-results
