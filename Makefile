# `make book` builds the site, `make test` checks everything. Both make .venv first if it is not fresh.

PYTHON ?= python3
PYTEST_ARGS ?= -n 2 --dist loadgroup --no-loadscope-reorder --durations 10
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
MODULES ?= evaluation inference losses masking

# A quick look is `make book TRIALS=1`; CHAPTERS=imputation,acgan previews two chapters; JOBS=1 runs one at a time.
BOOK_ARGS := $(if $(TRIALS),-p n_trials $(TRIALS)) $(if $(CHAPTERS),--chapters $(CHAPTERS)) $(if $(JOBS),--jobs $(JOBS))

.PHONY: book lab readme test mutants lint format lock bench sweep clean
.DEFAULT_GOAL := book

book: $(STAMP)
	$(BIN)/python -m ehrgan.book.build $(BOOK_ARGS)

# Opens the notebooks in JupyterLab.
lab: $(STAMP)
	$(BIN)/jupyter lab --notebook-dir notebooks

# Puts the numbers of this very build into README.md.
readme: book
	$(BIN)/python -m ehrgan.book.readme

test: lint
	$(BIN)/pytest $(PYTEST_ARGS)

# Small faults put in one at a time, to see whether the tests notice; some minutes for each module.
mutants: $(STAMP)
	$(BIN)/python -m benchmarks.mutants $(MODULES)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/hadolint docker/Dockerfile

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout notebooks/*.ipynb
	$(BIN)/python -m ehrgan.book.first_cell notebooks

# Speed and imputation error beside peers, into the package's data; BENCH=floor picks one.
bench: $(STAMP)
	$(BIN)/python -m benchmarks $(BENCH)

# The studies behind several chapters, three hours on two cores; again, and only what is missing runs.
sweep: $(STAMP)
	$(BIN)/ehrgan sweep sweeps/one_setting.ipynb sweeps/missingness.yml --out _build/sweeps/missingness
	$(BIN)/python -m ehrgan.book.committed by_mechanism _build/sweeps/missingness
	$(BIN)/ehrgan sweep sweeps/one_protocol.ipynb sweeps/explorer.yml --out _build/sweeps/explorer
	$(BIN)/python -m ehrgan.book.committed by_protocol _build/sweeps/explorer
	$(BIN)/ehrgan sweep sweeps/one_seed.ipynb sweeps/seeds.yml --out _build/sweeps/seeds
	$(BIN)/ehrgan sweep sweeps/one_seed.ipynb sweeps/silences.yml --out _build/sweeps/seeds
	$(BIN)/python -m ehrgan.book.committed by_seed _build/sweeps/seeds
	$(BIN)/ehrgan sweep sweeps/one_ladder.ipynb sweeps/ladder.yml --out _build/sweeps/ladder
	$(BIN)/python -m ehrgan.book.committed by_ladder _build/sweeps/ladder
	$(BIN)/ehrgan sweep sweeps/one_joint.ipynb sweeps/joint.yml --out _build/sweeps/joint
	$(BIN)/python -m ehrgan.book.committed by_stages _build/sweeps/joint
	$(BIN)/ehrgan sweep sweeps/one_prevalence.ipynb sweeps/rare.yml --out _build/sweeps/rare
	$(BIN)/python -m ehrgan.book.committed by_prevalence _build/sweeps/rare

# uv resolves for every platform and Python version at once, which pip cannot. Newest versions: LOCK_ARGS=--upgrade.
lock:
	$(PYTHON) -m venv _build/lock
	_build/lock/bin/pip install --quiet uv
	_build/lock/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-strip-extras \
		--custom-compile-command "make lock" --output-file requirements.txt $(LOCK_ARGS)

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

$(STAMP): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --requirement requirements.txt
	$(BIN)/pip install --no-deps --editable .
	touch $@
