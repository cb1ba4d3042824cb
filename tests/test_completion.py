"""Completion in bash, zsh, fish and PowerShell, from what the last run read."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from months.calling import Run, is_ours
from months.msp import Msp

CONNECTOR = Path(sys.executable).with_name("connector.exe" if sys.platform == "win32" else "connector")
HOSTILE = "Evil `touch pwned` $(touch pwned) \\"


@pytest.fixture
def ran(msp: Msp, run: Run) -> Run:
    """A folder in which one run has read two customers, one of them with a name made to harm."""
    msp.customer("Alder Dental", {"CIXA-MSP": 12})
    msp.customer(HOSTILE, {"CEMA-MSP": 1})
    msp.firewall("X1A7ALDER01", "DEMO-XGS107-XSP-MSP")
    run("plan")
    return run


def completed(run: Run, shell: str, line: str, word: str) -> str:
    """Ask as the shell's own script does, and return what it is told."""
    mine = {name: value for name, value in os.environ.items() if not is_ours(name)}
    asked = {
        "_CONNECTOR_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": word,
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - bool(word)),
        "PYTHONUTF8": "1",
    }
    done = subprocess.run(
        [CONNECTOR], cwd=run.folder, env=mine | asked, capture_output=True, encoding="utf-8", check=False
    )
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("shell", "offered"),
    [
        ("bash", "Alder\\ Dental\\ Ltd"),
        ("zsh", '"Alder Dental Ltd":"'),
        ("fish", "Alder Dental Ltd\t"),
        ("powershell", "'Alder Dental Ltd':::"),
    ],
)
def test_every_shell_is_offered_a_tenants_name_as_it_takes_it(ran: Run, shell: str, offered: str) -> None:
    told = completed(ran, shell, "connector firewalls assign X1 al", "al")
    assert told.strip().removeprefix("_arguments '*: :((").startswith(offered)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_name_made_to_harm_is_offered_by_its_id_alone(ran: Run, msp: Msp, shell: str) -> None:
    told = completed(ran, shell, "connector firewalls assign X1 ", "")
    hostile = next(tenant.id for tenant in msp.world.tenants.values() if tenant.name.startswith("Evil"))
    assert hostile in told
    assert "touch" not in told
    assert "`" not in told


def test_firewalls_are_offered_by_serial_number(ran: Run) -> None:
    assert completed(ran, "bash", "connector firewalls assign x1", "x1").split() == ["X1A7ALDER01"]


def test_product_codes_and_items_are_offered(ran: Run) -> None:
    assert completed(ran, "bash", "connector products map cix", "cix").split() == ["CIXA-MSP"]
    assert completed(ran, "bash", "connector products map CIXA-MSP sophos-e", "sophos-e").split() == [
        "SOPHOS-EMAIL",
        "SOPHOS-ENDPOINT",
    ]


def test_items_that_a_search_found_are_offered_too(ran: Run, msp: Msp) -> None:
    msp.item("ZETA-BACKUP")
    assert completed(ran, "bash", "connector products map CIXA-MSP zet", "zet").split() == []
    ran("products", "search", "backup")
    assert completed(ran, "bash", "connector products map CIXA-MSP zet", "zet").split() == ["ZETA-BACKUP"]


def test_words_come_from_the_state_folder_that_the_line_names(ran: Run) -> None:
    (ran.folder / "state").rename(ran.folder / "other")
    assert completed(ran, "bash", "connector firewalls assign x1", "x1").split() == []
    assert completed(ran, "bash", "connector --state other firewalls assign x1", "x1").split() == [
        "X1A7ALDER01"
    ]


def test_without_a_ledger_nothing_is_offered_and_nothing_is_made(run: Run) -> None:
    assert completed(run, "bash", "connector firewalls assign x1", "x1").strip() == ""
    assert not run.state.exists()


def test_a_spoiled_ledger_offers_nothing(ran: Run) -> None:
    ran.state.joinpath("connector.db").write_bytes(b"no database")
    assert completed(ran, "bash", "connector firewalls assign x1", "x1").strip() == ""
    shutil.rmtree(ran.state)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_every_shell_gets_its_script(tmp_path: Path, shell: str) -> None:
    done = subprocess.run(
        [CONNECTOR],
        cwd=tmp_path,
        env={**os.environ, "_CONNECTOR_COMPLETE": f"source_{shell}", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert f"complete_{shell}" in done.stdout
    assert "connector" in done.stdout


@pytest.mark.skipif(sys.platform == "win32" or shutil.which("bash") is None, reason="needs bash and a pty")
def test_bash_completes_what_a_person_types(ran: Run) -> None:
    pexpect = pytest.importorskip("pexpect")

    mine = {name: value for name, value in os.environ.items() if not is_ours(name)}
    path = f"{CONNECTOR.parent}{os.pathsep}{os.environ['PATH']}"
    shell = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile"],
        cwd=str(ran.folder),
        env={**mine, "PATH": path, "PS1": "$ "},
        timeout=30,
    )
    try:
        shell.expect_exact("$ ")
        shell.sendline('eval "$(_CONNECTOR_COMPLETE=source_bash connector)"; echo go')
        shell.expect_exact("\rgo\r\n")
        shell.send("connector firewalls assign x1\t alder\\ d\t")
        shell.expect_exact("X1A7ALDER01 ")
        shell.expect_exact("Alder\\ Dental\\ Ltd")
    finally:
        shell.close(force=True)
