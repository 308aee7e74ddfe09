# Every developer command. `uv run just` lists them; `just` itself comes from the dev group.

set shell := ["bash", "-euo", "pipefail", "-c"]
set positional-arguments := true

# The lock may name the public index only, whatever the environment says (SECURITY.md, "Lock and index guard").
export UV_DEFAULT_INDEX := "https://pypi.org/simple"
export UV_INDEX := ""
export UV_EXTRA_INDEX_URL := ""
# Hundreds of processes start in a test run: each would compile every library anew.
export PYTHONDONTWRITEBYTECODE := ""
run := "uv run --no-sync"

[private]
default:
    @just --justfile "{{ justfile() }}" --list --unsorted

# First in every recipe, in a few milliseconds; only a lock that names another host is looked at by the factory.
[private]
guard:
    @test -z "$(grep -ohE 'https?://[^/"]+' uv.lock | grep -vxE 'https://(pypi\.org|files\.pythonhosted\.org)' | head -n 1)" || {{ run }} python-factory lock guard

# Install every member, editable, with the development tools
[group('environment')]
sync: guard
    uv sync --locked

# Write uv.lock anew, from the public index only
[group('environment')]
lock: guard
    uv lock

# Run the whole test suite in one go; arguments go to pytest
[group('proof')]
test *ARGS: guard
    {{ run }} pytest -n 3 --dist loadfile "$@"

# The whole suite in another order, which the seed names; further arguments go to pytest
[group('proof')]
test-random SEED="1" *ARGS: guard
    FSP_TEST_SEED="${FSP_TEST_SEED:-{{ SEED }}}" {{ run }} pytest -p tests.random_order -n 3 --dist loadfile "${@:2}"

# The test suite on every Python that the packages promise, each in an environment of its own under dist/matrix; arguments go to pytest
[group('proof')]
test-matrix *ARGS: guard
    for version in 3.11 3.12 3.13; do \
        export UV_PROJECT_ENVIRONMENT="{{ justfile_directory() }}/dist/matrix/$version"; \
        uv sync --locked --quiet --python "$version"; \
        echo "== Python $version"; \
        uv run --no-sync --python "$version" pytest -n 2 --dist loadfile "$@"; \
    done

# Format check and lint
[group('proof')]
lint: guard
    {{ run }} ruff format --check .
    {{ run }} ruff check .

# Write what lint would ask for
[group('proof')]
fix: guard
    {{ run }} ruff check --fix .
    {{ run }} ruff format .

# Type check of every member
[group('proof')]
types: guard
    {{ run }} python -m tests.architecture.types_of_members

# The architecture: layer contracts and the factory's rules
[group('proof')]
arch: guard
    {{ run }} lint-imports
    {{ run }} python-factory check

# Static analysis of the workflows, offline
[group('proof')]
workflows: guard
    {{ run }} zizmor --offline --quiet .github/workflows

# Everything CI asks for
[group('proof')]
check: lint types arch workflows test

# The gauntlet on one process with SQLite and on four with PostgreSQL: both pass, and no row differs
[group('proof')]
proof-workers *ARGS: guard
    {{ run }} python -m tests.workers.run "$@"

# The gauntlet against a platform with one planted defect after another: each turns its own stage red, and no other
[group('proof')]
proof-planted *ARGS: guard
    {{ run }} python -m tests.planted.run "$@"

# Disable a human and measure when another process refuses her agent two levels down; on SQLite and PostgreSQL
[group('proof')]
proof-revocation ROUNDS="200": guard
    {{ run }} python -m tests.workers.revocation --rounds "{{ ROUNDS }}"

# Move a released application into a capability: its own tests before and after, and every recorded answer is as it was
[group('proof')]
proof-brownfield *ARGS: guard
    {{ run }} python tooling/python-factory/tests/brownfield/proof.py "$@"

# Random commands of the factory, each against its dry run and back; and random edits against the tests that load them
[group('proof')]
proof-factory WALKS="20" EDITS="500": guard
    {{ run }} python tooling/python-factory/tests/chains/walking.py --walks "{{ WALKS }}"
    {{ run }} python tooling/python-factory/tests/affected/edits.py --edits "{{ EDITS }}"

# Four web processes and two workers on one PostgreSQL and Redis behind nginx, restarted in turn under load: no request fails
[group('proof')]
proof-cluster *ARGS: guard
    {{ run }} python -m tests.cluster.run "$@"

# Old wheels, data, backup, new wheels, migration, the same data, and back: the upgrade guide, step by step
[group('proof')]
proof-upgrade *ARGS: guard
    {{ run }} python -m tests.upgrade.run "$@"

# Image, containers and the gauntlet against them; needs an engine with Compose and the two base images
[group('proof')]
proof-docker-shell: guard
    {{ run }} python -m tests.containers.run

# The suite on the lowest direct version of every dependency, in an environment of its own
[group('proof')]
test-lowest *ARGS: guard
    bash tests/release/lowest.sh "{{ justfile_directory() }}" "$@"

# Known vulnerabilities of everything that is locked; asks the public database
[group('proof')]
audit: guard
    mkdir -p dist
    uv export --quiet --locked --no-emit-workspace --no-dev --all-packages --no-annotate --no-header > dist/locked.txt
    uv tool run pip-audit --requirement dist/locked.txt --require-hashes --disable-pip

# A million random questions to the policy engine, to pycasbin and to brute force: no answer differs
[group('proof')]
proof-policy *ARGS: guard
    {{ run }} python -m tests.policy.run "$@"

# Withdraw a right while the feed is lost, listeners are killed and the database is paused: nobody is let in
[group('proof')]
proof-feed *ARGS: guard
    {{ run }} python -m tests.policy.feed "$@"

# Print a table of measured ratios: `just bench`, or one of runtime, storage, identity, pages, policy, runner, workspace
[group('proof')]
bench *NAMES: guard
    {{ run }} python tests/benchmarks/run.py "$@"

# Build every wheel and sdist into dist/, resolve them against each other, install and start them in a clean environment
[group('product')]
build-wheels *ARGS: guard
    {{ run }} python-factory wheels build --out dist "$@"

# What would be released and why: versions, order, what stops it; writes nothing
[group('release')]
[no-exit-message]
release-plan *ARGS: guard
    {{ run }} python-factory release plan "$@"

# Write the release: versions, bounds, change logs, lock, one commit and its tags (undo: python-factory undo)
[group('release')]
[no-exit-message]
release-apply *ARGS: guard
    {{ run }} python-factory release apply "$@"

# Everything that has to hold before a file is published: built twice, clean install, licence, no tests, no host
[group('release')]
[no-exit-message]
release-gate *ARGS: guard
    {{ run }} python-factory release gate "$@"

# Pass the gate and send what stands at its tag to INDEX (pypi, internal or a URL), dependencies first
[group('release')]
[no-exit-message]
publish INDEX *ARGS: guard
    {{ run }} python-factory release publish "$@"

# Install what INDEX delivers into an empty environment, and compare it with what was built
[group('release')]
[no-exit-message]
release-verify INDEX *ARGS: guard
    {{ run }} python-factory release verify "$@"

# A CycloneDX bill of materials beside each wheel of dist/
[group('release')]
sbom *ARGS: guard
    {{ run }} python-factory release sbom "$@"

# Bring the public addresses back into uv.lock, with the same versions and hashes
[group('environment')]
lock-repair:
    {{ run }} python-factory lock repair

# A git hook that runs the house rules before each commit
[group('environment')]
hooks: guard
    printf '#!/bin/sh\nexec uv run --no-sync python-factory check --changed\n' > "$(git rev-parse --git-path hooks)/pre-commit"
    chmod +x "$(git rev-parse --git-path hooks)/pre-commit"

# Build the wheels and run the platform from exactly these
[group('product')]
[no-exit-message]
shell-up *ARGS: guard
    exec {{ run }} python-factory shell up "$@"

# Stop the running platform
[group('product')]
shell-down *ARGS: guard
    {{ run }} python-factory shell down "$@"

# What runs, and is it well (exit 0 ready, 1 degraded, 4 not running)
[group('product')]
[no-exit-message]
shell-status *ARGS: guard
    {{ run }} python-factory shell status "$@"

# Show the logs of web, worker or a service; -f follows
[group('product')]
[no-exit-message]
shell-logs *ARGS: guard
    exec {{ run }} python-factory shell logs "$@"

# Make a new one-time administrator credential
[group('product')]
shell-admin *ARGS: guard
    {{ run }} python-factory shell admin "$@"

# Prove the life cycles over real HTTP, against the running shell or a throw-away one
[group('product')]
[no-exit-message]
gauntlet *ARGS: guard
    {{ run }} python-factory gauntlet "$@"

# Write the generated pages of docs/ anew
[group('proof')]
docs: guard
    {{ run }} python -m tests.docs.settings_reference

# Collect the texts of every member and compile its catalogues; prints what nobody translated yet
[group('product')]
translations: guard
    {{ run }} python -m fastapi_services_platform.testing.translations packages/fsp-runtime packages/au-sys-storage-sdk packages/au-sys-identity services/skriptoteket

# Bundle the code editor anew, from the locked npm project
[group('product')]
editor: guard
    cd services/skriptoteket/frontend && npm ci --no-audit --no-fund --ignore-scripts && node build.mjs

# The committed editor is what its sources bundle to, within its size, with its licences
[group('proof')]
editor-check: guard
    cd services/skriptoteket/frontend && npm ci --no-audit --no-fund --ignore-scripts && node check.mjs

# Pictures of every page at phone and desktop width, light and dark, into screenshots/
[group('product')]
screenshots *ARGS: guard
    {{ run }} python -m tests.journeys.screenshots "$@"

# Proofs of storage without end: power cuts, then histories and switches; it goes on where it stopped
[group('proof')]
proof-storage IMAGES="1000000" STATE="dist/proof-storage.json": guard
    {{ run }} python -m tests.faults.storage.power.run --images "{{ IMAGES }}" --state "{{ STATE }}"

# Many made-up requests to every operation, with and without credentials (two minutes of it are in CI)
[group('proof')]
proof-fuzz EXAMPLES="200": guard
    FSP_FUZZ_EXAMPLES="{{ EXAMPLES }}" {{ run }} pytest -q tests/attacks/test_schema.py

# Kill the worker of the script library with -9 at random moments: nothing is left, no run is lost; it goes on where it stopped
[group('proof')]
proof-runner KILLS="10000" STATE="dist/proof-runner.json": guard
    {{ run }} python -m tests.runs.kills --kills "{{ KILLS }}" --state "{{ STATE }}"

# Every ending and every attack in containers of an engine that is started for it (Debian's docker.io is enough)
[group('proof')]
proof-docker *ARGS: guard
    {{ run }} python -m tests.runs.engine "$@"

# The same with Podman (Debian's podman and runc are enough)
[group('proof')]
proof-podman *ARGS: guard
    {{ run }} python -m tests.runs.engine --engine podman "$@"

# Two hosts (network namespaces) on one PostgreSQL, one of them cut off: no run is lost that need not be, none runs twice
[group('proof')]
proof-hosts *ARGS: guard
    {{ run }} python -m tests.runs.hosts "$@"

# The driver of control groups v2, every ending and many attacks in a small virtual machine with delegated groups
[group('proof')]
proof-cgroup2 *ARGS: guard
    {{ run }} python -m tests.runs.machine "$@"

# The same endings and attacks in a container without capabilities, as an ordinary user with nested.json (needs dockerd)
[group('proof')]
proof-nested *ARGS: guard
    {{ run }} python -m tests.runs.nested "$@"

# Four workers on one PostgreSQL drain 2,000 runs, each once, and NOTIFY wakes them in time
[group('proof')]
proof-queue *ARGS: guard
    {{ run }} python -m tests.runs.drain "$@"

# Every pair of backends switched under load and killed at every step (--parts: some namespaces only); it goes on where it stopped
[group('proof')]
proof-storage-switch STATE="dist/proof-storage-switch.json" *ARGS: guard
    {{ run }} python -m tests.faults.storage.switch.run --state "$@"

# Kill a restore at many moments: the old state or the new one is there, whole
[group('proof')]
proof-restore POINTS="500": guard
    FSP_CRASH_POINTS="{{ POINTS }}" {{ run }} pytest -q packages/au-sys-identity/tests/core/recovery/test_killed.py

# Whether the time of an answer tells which accounts exist: paired samples, on a quiet machine
[group('proof')]
proof-timing PAIRS="200": guard
    {{ run }} python -m tests.attacks.timing --pairs "{{ PAIRS }}"
