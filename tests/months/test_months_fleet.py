"""Many partners on one machine: each billed by itself, whatever happens to the others."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from months.calling import is_ours
from months.msp import ENDPOINT, Customer, Msp

from connector.runs.fleet import Fleet as Workers
from connector.simulator import Simulator, World

TODAY = date(2026, 10, 28)


@dataclass
class Partner:
    """One MSP partner: its world, and its folder under profiles/."""

    name: str
    simulator: Simulator
    customer: Customer
    folder: Path

    def settings(self, **other: str) -> None:
        """Write its .env."""
        said = {**self.simulator.settings(), **other}
        text = "".join(f"{name}={value}\n" for name, value in said.items())
        (self.folder / ".env").write_text(text, encoding="utf-8")
        (self.folder / ".env").chmod(0o600)


@dataclass
class Fleet:
    """A folder with profiles in it."""

    folder: Path
    partners: list[Partner]

    def __call__(self, *args: str, **settings: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not is_ours(name)}
        return subprocess.run(
            [sys.executable, "-m", "connector", *args],
            cwd=self.folder,
            env={**kept, "CONNECTOR_TODAY": str(TODAY), **settings},
            capture_output=True,
            text=True,
            check=False,
        )


def joins(fleet: Fleet, stack: ExitStack, number: int) -> Partner:
    """Let a partner join, whose one customer uses as many endpoints as its number."""
    msp = Msp(World(seed=number, today=TODAY))
    msp.maps("CIXA-MSP", ENDPOINT)
    customer = msp.customer("Alder", {"CIXA-MSP": number})
    simulator = stack.enter_context(Simulator(msp.world))
    folder = fleet.folder / "profiles" / f"partner {number:02}"
    folder.mkdir(parents=True)
    (folder / "mappings.yaml").write_text(msp.text(), encoding="utf-8")
    partner = Partner(folder.name, simulator, customer, folder)
    partner.settings()
    fleet.partners.append(partner)
    return partner


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Ends every partner's servers."""
    with ExitStack() as made:
        yield made


def test_fifty_partners_of_which_three_are_broken_are_billed_but_for_these(
    tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Fleet(tmp_path, [])
    partners = [joins(fleet, stack, number) for number in range(1, 51)]
    no_map, locked_out, spoiled = partners[7], partners[23], partners[41]
    (no_map.folder / "mappings.yaml").write_text("version: 2\n", encoding="utf-8")
    locked_out.settings(CONNECTWISE_PRIVATE_KEY="an old one")
    (spoiled.folder / "state").mkdir()
    (spoiled.folder / "state" / "connector.db").write_bytes(b"no database" * 100)

    done = fleet("fleet", "nightly", "--json")

    broken = {no_map.name: 2, locked_out.name: 5, spoiled.name: 2}
    codes = {each["profile"]: each["exit_code"] for each in json.loads(done.stdout)["profiles"]}
    assert codes == {partner.name: 0 for partner in partners} | broken
    assert done.returncode == 2
    for number, partner in enumerate(partners, start=1):
        expected = {} if partner.name in broken else {ENDPOINT: number}
        assert partner.customer.bills == expected, partner.name


def test_the_summary_names_who_needs_somebody_first(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Fleet(tmp_path, [])
    joins(fleet, stack, 1)
    second = joins(fleet, stack, 2)
    (second.folder / "mappings.yaml").write_text("version: 1\nfoo: 1\n", encoding="utf-8")

    lines = fleet("fleet", "nightly").stdout.splitlines()

    assert lines[1].split()[:3] == ["partner", "02", "2"]
    assert "unknown key" in lines[1]
    assert lines[2].split()[:3] == ["partner", "01", "0"]
    assert "2026-10 billed (1 done)" in lines[2]
    assert lines[-1] == "2 profiles: 1 with exit code 0, 1 with exit code 2."


def test_no_partner_is_ever_billed_with_the_credentials_of_the_environment(
    tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Fleet(tmp_path, [])
    mine, other = joins(fleet, stack, 1), joins(fleet, stack, 2)
    (mine.folder / ".env").unlink()

    done = fleet("--profile", mine.name, "sync", "--json", **other.simulator.settings())

    assert done.returncode == 2
    assert "SOPHOS_CLIENT_ID" in json.loads(done.stdout)["error"]["message"]
    assert (mine.customer.bills, other.customer.bills) == ({}, {})


def test_a_profile_has_its_own_map_state_and_settings(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Fleet(tmp_path, [])
    partner = joins(fleet, stack, 3)

    done = fleet("--profile", partner.name, "sync", "--json")

    assert (done.returncode, partner.customer.bills) == (0, {ENDPOINT: 3})
    assert (partner.folder / "state" / "connector.db").exists()
    assert not (tmp_path / "state").exists()


def test_what_a_person_types_is_found_where_the_person_is(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Fleet(tmp_path, [])
    partner = joins(fleet, stack, 3)
    fleet("--profile", partner.name, "sync")

    assert fleet("--profile", partner.name, "state", "backup", "copy.db").returncode == 0

    assert (tmp_path / "copy.db").exists()


def test_status_tells_of_every_partner(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Fleet(tmp_path, [])
    joins(fleet, stack, 1)
    assert fleet("fleet", "status").returncode == 3
    fleet("fleet", "nightly")
    well = fleet("fleet", "status", "--json")
    assert well.returncode == 0
    assert json.loads(well.stdout)["profiles"][0]["message"] == "all is well"


def test_a_profile_that_takes_too_long_is_stopped_and_told(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Fleet(tmp_path, [])
    partner = joins(fleet, stack, 1)
    ended: list[str] = []

    (member,) = Workers(tmp_path, os.environ, seconds=0.01).run(
        [partner.name], ["nightly"], lambda each: ended.append(each.profile)
    )

    assert (member.exit_code, member.code, ended) == (None, 1, [partner.name])
    assert member.told == "was stopped after 0.01 seconds without an end"


@pytest.mark.parametrize("name", ["nobody", "../elsewhere", ".", ""])
def test_a_profile_that_is_not_there_is_the_command_lines_fault(
    tmp_path: Path, stack: ExitStack, name: str
) -> None:
    fleet = Fleet(tmp_path, [])
    joins(fleet, stack, 1)
    done = fleet("--profile", name, "status", "--json")
    assert done.returncode == 2
    assert "partner 01" in json.loads(done.stdout)["error"]["message"]


def test_a_fleet_without_profiles_says_how_to_make_one(tmp_path: Path) -> None:
    done = Fleet(tmp_path, [])("fleet", "nightly")
    assert done.returncode == 2
    assert "Make a folder" in done.stderr


def test_a_fleet_takes_no_profile(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Fleet(tmp_path, [])
    partner = joins(fleet, stack, 1)
    assert fleet("--profile", partner.name, "fleet", "nightly").returncode == 2
