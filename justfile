# Every check of the project; `just check` runs them all.

export PATH := justfile_directory() / ".venv/bin" + ":" + env("PATH")

# Everything that must pass before a change lands; at most three things at once.
[parallel]
check: _others test

_others: lint types imports scorecard

# Style and format.
lint:
    ruff format --check .
    ruff check .

# Types, strictly.
types:
    mypy

# Which module may import which.
imports:
    lint-imports

# All tests; the branches where a false accusation or a lost order could hide are covered in full.
[parallel]
test: _served-and-stages _covered-and-worlds
    coverage json -q -o .coverage.json
    python tests/branch_floor.py .coverage.json

_served-and-stages: test-served test-stages

_covered-and-worlds: test-covered test-worlds

# Tests with the real Neo4j.
test-served *args:
    pytest -q -m neo4j {{args}}

# Tests of what is covered in full. Tracing makes a test half as long again, so the others go without.
test-covered *args:
    pytest -q -m "not neo4j" --cov --cov-report= tests/enforcement tests/gnn tests/stores {{args}}

# Tests of worlds, and of whole runs.
test-worlds *args:
    pytest -q -m "not neo4j" tests/worlds tests/e2e {{args}}

# All other tests.
test-stages *args:
    pytest -q -m "not neo4j" --ignore tests/enforcement --ignore tests/gnn --ignore tests/stores --ignore tests/worlds --ignore tests/e2e {{args}}

# Three fixed small worlds: what was reached once may not be lost.
scorecard:
    ringfence worlds gate

# Put the code into the project's format.
format:
    ruff format .
    ruff check --fix .

# Measure what is promised; figures go to benchmarks/RESULTS.md.
bench:
    python benchmarks/startup.py
    python benchmarks/ingest.py
    python benchmarks/neo4j_load.py
    python benchmarks/demo_seeds.py --seeds 11 12 13 14 15 16
    python benchmarks/worlds.py --prompts ../shared/data/prompts
    python benchmarks/tune_baselines.py --scale 0.01 --seeds 4 5
    python benchmarks/templates.py quality
    python benchmarks/templates.py logs
    python benchmarks/templates.py worlds
    python benchmarks/templates.py speed
    python benchmarks/templates.py growth
    python benchmarks/tactics.py
    python benchmarks/delivery.py
    python benchmarks/export_formats.py
    python benchmarks/audit.py
    just report-worlds
    ringfence run ../shared/data/p2p --mapping examples/p2p/mapping.toml --out p2p-out --neo4j none --force
    python benchmarks/p2p_scores.py --snapshot p2p-out/snapshot.safetensors

# Kill, fail and make up lives by the thousand: what `test` does a few times. Takes long.
soak:
    RINGFENCE_SOAK=1 pytest -q -s tests/enforcement tests/graphbuild tests/e2e/test_p2p.py

# Figures on the three reporting worlds: their own examination, then all detectors in one table.
report-worlds:
    just report-world report-everyday 0.01 1000
    just report-world report-lookalikes 0.01 1001
    just report-world report-rare 0.02 1002

report-world scenario scale seed:
    ringfence worlds make worlds-out/{{scenario}} --scenario {{scenario}} --scale {{scale}} --seed {{seed}} --prompts ../shared/data/prompts --force
    ringfence worlds separable worlds-out/{{scenario}}
    ringfence run worlds-out/{{scenario}}/input --out worlds-out/{{scenario}}-run --neo4j none --force
    ringfence worlds score worlds-out/{{scenario}}-run worlds-out/{{scenario}} --baselines --html worlds-out/{{scenario}}.html --force

# Lock the requirements anew, with hashes and without addresses.
lock:
    pip install -q uv
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra gnn pyproject.toml requirements/build.in -o requirements/demo.txt
    uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra gnn --extra otel --group dev -c requirements/demo.txt pyproject.toml requirements/build.in -o requirements/dev.txt
