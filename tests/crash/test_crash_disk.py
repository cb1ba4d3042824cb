"""A state folder that takes no more: full, read-only, or spoiled."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from months.calling import Run
from months.msp import ENDPOINT, Msp

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits and mounts")


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let the system refuse to let any file of this process grow beyond `size` bytes."""
    import resource  # noqa: PLC0415  (POSIX only)

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mount a small file system of memory on a folder; skips where the system does not let us."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def committed(msp: Msp) -> int:
    return len(msp.world.history)


@pytest.mark.parametrize("size", [4096, 40_000, 80_000, 120_000, 160_000, 240_000])
def test_a_ledger_that_cannot_grow_ends_the_run_before_any_write_or_tells_what_was_written(
    msp: Msp, run: Run, size: int
) -> None:
    customers = msp.customers(12)
    with files_no_larger_than(size):
        full = run("sync")
    assert full.exit_code in {0, 2, 6}
    if full.exit_code == 2:
        assert full.json["error"]["code"] == "STATE"
        assert (
            "connector.db" in full.json["error"]["message"] or "state folder" in full.json["error"]["message"]
        )
        assert committed(msp) == 0
    assert run("sync", CONNECTOR_TIMEOUT="1").exit_code == 0
    assert {customer.bills[ENDPOINT] for customer in customers} == {10}
    assert committed(msp) == 12


def test_a_full_disk_in_the_middle_of_writing_tells_what_was_written_and_doubles_nothing(
    msp: Msp, run: Run
) -> None:
    customers = msp.customers(60)
    run("plan")
    import resource  # noqa: PLC0415  (POSIX only)

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(vendor: str, method: str, *_: object) -> None:
        if method == "POST" and vendor == "connectwise" and committed(msp) == 20:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))

    run.simulator.before_request = fill
    try:
        full = run("sync")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        run.simulator.before_request = None
    assert full.exit_code == 6
    outcomes = [outcome for _, outcome in full.outcomes]
    assert outcomes.count("done") > 20 - 4  # four leave together, and no answer can be written down any more
    assert 1 <= outcomes.count("unclear") <= 4
    assert outcomes.count("done") + outcomes.count("unclear") >= 20
    assert outcomes[-1] == "not_tried"
    assert "cannot be used" in " ".join(it["message"] or "" for it in full.json["outcomes"])
    assert run("sync", CONNECTOR_TIMEOUT="1").exit_code == 0
    assert {customer.bills[ENDPOINT] for customer in customers} == {10}
    assert committed(msp) == 60


@pytest.mark.parametrize("size", ["64k", "128k", "192k", "256k"])
def test_a_small_disk_that_is_full_writes_nothing_that_it_cannot_record(
    msp: Msp, run: Run, size: str
) -> None:
    customers = msp.customers(12)
    with mounted(run.state, f"size={size}"):
        full = run("sync")
        assert full.exit_code in {0, 2, 6}
        assert full.exit_code != 2 or committed(msp) == 0
    assert run("sync", CONNECTOR_TIMEOUT="1").exit_code == 0
    assert {customer.bills[ENDPOINT] for customer in customers} == {10}


def test_a_read_only_state_folder_ends_the_run_before_any_request(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run("plan")
    kept = run.folder / "kept"
    shutil.copytree(run.state, kept)
    with mounted(run.state, "size=4m"):
        shutil.copytree(kept, run.state, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", str(run.state)], check=True)
        before = len(run.simulator.requests)
        refused = run("sync")
        assert (refused.exit_code, refused.json["error"]["code"]) == (2, "STATE")
        assert len(run.simulator.requests) == before
        assert run("doctor").exit_code == 2


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_its_owner_may_not_write_to_ends_the_run(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})
    run.state.mkdir()
    run.state.chmod(0o500)
    try:
        refused = run("sync")
    finally:
        run.state.chmod(0o700)
    assert (refused.exit_code, refused.requests) == (2, ())


@pytest.mark.parametrize("kept", [0, 100, 4096, 50_000])
def test_a_ledger_that_was_cut_short_is_never_taken_for_an_empty_one(msp: Msp, run: Run, kept: int) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    run("sync")
    path = run.state / "connector.db"
    path.write_bytes(path.read_bytes()[:kept])
    again = run("sync")
    if kept:
        assert (again.exit_code, again.json["error"]["code"]) == (2, "STATE")
        assert "state rebuild" in again.json["error"]["next"]
    else:
        assert again.exit_code == 0
    assert again.writes == []
    assert alder.bills == {ENDPOINT: 12}
