# make run · test · test-full · check · bench · bench-load · claims · cures · pictures. The virtual environment is made when
# first needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
# One more than there are cores: tests of the workers wait for processes that start.
PROCESSES = $$($(BIN)/python -c "import os; print(os.cpu_count() + 1)")

.PHONY: run test test-full check bench bench-load claims cures pictures clean

run: $(VENV)/run
	STREAMLIT_SERVER_PORT=$(PORT) $(BIN)/python -m streamlit run app/server.py

# A click that arrives while Streamlit draws the page anew is lost now and then, on a busy machine above all: what failed in
# the browser is tried once more by itself. What fails twice fails.
AGAIN = $(BIN)/python -m pytest $(PART) --last-failed --last-failed-no-failures none tests/browser
test: PART := -m "not full"
test test-full: $(VENV)/dev
	./tests/browser/install_chromium.sh
	$(BIN)/python -m pytest $(PART) -n $(PROCESSES) --dist loadfile --ignore=tests/browser
	$(BIN)/python -m pytest $(PART) -n 2 --dist worksteal tests/browser || $(AGAIN)

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/run
	$(BIN)/python -m benchmarks

bench-load: $(VENV)/dev
	$(BIN)/python -m benchmarks.load

claims: $(VENV)/run
	$(BIN)/python -m engine claims

# Half an hour on two cores; interrupted, it goes on from where it was.
cures: $(VENV)/run
	$(BIN)/python -m engine cures

pictures: $(VENV)/dev
	./tests/browser/install_chromium.sh
	$(BIN)/python -m tests.browser.pictures

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
