"""Mapping a tenant on a terminal: a person chooses, from candidates with their reasons."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from months.calling import Run, is_ours
from months.msp import Msp

from connector.mappings.load import load_mappings
from connector.model import TenantEntry

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
ENTER = "\r"


@pytest.fixture
def kept(run: Run, msp: Msp) -> Run:
    """A desk whose map stays as the commands leave it."""
    (run.folder / "mappings.yaml").write_text(msp.text(), encoding="utf-8")
    run.map_kept = True
    return run


@contextmanager
def terminal(run: Run, *args: str) -> Iterator[Any]:
    """The command on a terminal, followed to its end."""
    pexpect = pytest.importorskip("pexpect")
    mine = {name: value for name, value in os.environ.items() if not is_ours(name)}
    ours = {name: value for name, value in run.environment({}).items() if value is not None}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "connector", *args],
        cwd=str(run.folder),
        env={**mine, **ours, "PYTHONUTF8": "1", "TERM": "dumb"},
        dimensions=(50, 200),
        timeout=60,
        encoding="utf-8",
        codec_errors="replace",
    )
    child.setecho(False)
    try:
        yield child
        child.read()
        child.wait()
    finally:
        child.close(force=True)


def entry(run: Run, tenant_id: str) -> TenantEntry | None:
    return load_mappings(run.folder / "mappings.yaml").tenants.get(tenant_id)


def test_a_person_chooses_the_company_and_confirms_the_only_agreement_with_enter(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    msp.customer("Alderley", mapped=False)
    with terminal(kept, "tenants", "map", alder.tenant) as child:
        child.expect_exact("Which company is Alder Ltd")
        child.expect_exact(f"1  Alder, Alder Limited (id:{alder.company.id}): equal but for the legal form")
        child.expect_exact("Number (Enter for none): ")
        child.send("1" + ENTER)
        child.expect_exact(f'1  "Managed Security" (id:{alder.agreement.id}): the only active agreement')
        child.expect_exact("Number (0 for none, Enter for 1): ")
        child.send(ENTER)
        child.expect_exact("company: Alder")
    assert child.exitstatus == 0
    assert entry(kept, alder.tenant) == TenantEntry("Alder Ltd", "Alder", "Managed Security")


def test_enter_chooses_no_company_and_no_agreement_of_several(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    msp.world.add_agreement(alder.company.id, "Support")
    before = (kept.folder / "mappings.yaml").read_bytes()
    with terminal(kept, "tenants", "map", alder.tenant) as child:
        child.expect_exact("Number (Enter for none): ")
        child.send(ENTER)
        child.expect_exact("No company was named or chosen")
    assert child.exitstatus == 2
    with terminal(kept, "tenants", "map", alder.tenant, "Alder") as child:
        child.expect_exact("active, speaks of security")
        child.expect_exact("Number (Enter for none): ")
        child.send(ENTER)
        child.expect_exact("No agreement of Alder, Alder Limited")
    assert child.exitstatus == 2
    assert (kept.folder / "mappings.yaml").read_bytes() == before


def test_one_of_several_agreements_is_chosen_by_number(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    msp.world.add_agreement(alder.company.id, "Support")
    with terminal(kept, "tenants", "map", alder.tenant, "Alder") as child:
        child.expect_exact("Number (Enter for none): ")
        child.send("2" + ENTER)
        child.expect_exact("agreement: Support")
    assert child.exitstatus == 0
    assert entry(kept, alder.tenant) == TenantEntry("Alder Ltd", "Alder", "Support")


def test_ctrl_c_at_the_question_leaves_the_map_alone(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    with terminal(kept, "tenants", "map", alder.tenant) as child:
        child.expect_exact("Number (Enter for none): ")
        child.send("\x03")
        child.expect_exact("Interrupted")
    assert child.exitstatus == 130
    assert entry(kept, alder.tenant) is None


@pytest.mark.parametrize(("said", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_equal_names_are_written_only_after_a_yes(msp: Msp, kept: Run, said: str, code: int) -> None:
    alder = msp.customer("Alder", mapped=False)
    with terminal(kept, "tenants", "map", "--accept-exact") as child:
        child.expect_exact("Equal names (1):")
        child.expect_exact("Alder Limited")
        child.expect_exact("Map these tenants? 1 pair [y/N]: ")
        child.send(said + ENTER)
    assert child.exitstatus == code
    assert (entry(kept, alder.tenant) is not None) == (code == 0)


def test_with_yes_nobody_is_asked(msp: Msp, kept: Run) -> None:
    alder = msp.customer("Alder", mapped=False)
    with terminal(kept, "tenants", "map", "--accept-exact", "--yes") as child:
        child.expect_exact("Equal names (1):")
        child.expect_exact("company: Alder")
    assert child.exitstatus == 0
    assert entry(kept, alder.tenant) is not None
