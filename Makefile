# make run · serve · test · test-full · test-cluster · check · soak · bench · bench-load · bench-cluster · claims · cures ·
# pictures. The virtual environment is made when first needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLUSTER := .venv-cluster
PORT ?= 8501
# One more than there are cores: tests of the workers wait for processes that start.
PROCESSES = $$($(BIN)/python -c "import os; print(os.cpu_count() + 1)")

.PHONY: run serve test test-full test-cluster check soak bench bench-load bench-cluster claims cures pictures clean

run: $(VENV)/run
	STREAMLIT_SERVER_PORT=$(PORT) $(BIN)/python -m streamlit run app/server.py

# For others than oneself: make serve HOST=0.0.0.0 PORT=8501. Of HOST only what stands there counts, since some shells have a
# variable of that name.
serve: $(VENV)/run
	$(BIN)/python -m app.serve $(if $(filter command line,$(origin HOST)),--host $(HOST)) \
		$(if $(filter command line,$(origin PORT)),--port $(PORT))

# A click that arrives while Streamlit draws the page anew is lost now and then, on a busy machine above all: what failed in
# the browser is tried once more by itself. What fails twice fails.
AGAIN = $(BIN)/python -m pytest $(PART) --last-failed --last-failed-no-failures none tests/browser
test: PART := -m "not full"
test test-full: $(VENV)/dev
	./tests/browser/install_chromium.sh
	$(BIN)/python -m pytest $(PART) -n $(PROCESSES) --dist loadfile --ignore=tests/browser
	$(BIN)/python -m pytest $(PART) -n 2 --dist worksteal tests/browser || $(AGAIN)

# What runs on other machines, on a cluster of two nodes that the tests start on this one.
test-cluster: $(CLUSTER)/ready
	$(CLUSTER)/bin/python -m pytest tests/engine/workers/test_ray_channel.py tests/engine/sweeps/test_ray_tasks.py

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python .ci/audit.py

bench: $(VENV)/run
	$(BIN)/python -m benchmarks

# Visitors train while workers are killed and streams are cut: is anything lost?
MINUTES ?= 10
KILLS ?= 20
soak: $(VENV)/dev
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES) --kills $(KILLS)

bench-load: $(VENV)/dev
	$(BIN)/python -m benchmarks.load

bench-cluster: $(CLUSTER)/ready
	$(CLUSTER)/bin/python -m benchmarks.cluster

claims: $(VENV)/run
	$(BIN)/python -m engine claims

# Half an hour on two cores; interrupted, it goes on from where it was.
cures: $(VENV)/run
	$(BIN)/python -m engine cures

pictures: $(VENV)/dev
	./tests/browser/install_chromium.sh
	$(BIN)/python -m tests.browser.pictures

clean:
	rm -rf $(VENV) $(CLUSTER) .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# The packages of the first environment, and Ray: there all tests show that nothing needs it.
$(CLUSTER)/ready: requirements-cluster.txt $(VENV)/dev
	$(BIN)/python -m venv --clear $(CLUSTER)
	for venv in $(VENV) $(CLUSTER); do $$venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))"; done \
		| { read -r ours; read -r theirs; echo "$$ours" > "$$theirs/ours.pth"; }
	$(CLUSTER)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-cluster.txt
	touch $@
