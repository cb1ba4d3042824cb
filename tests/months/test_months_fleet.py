"""Many partners on one machine: each billed by itself, whatever happens to the others."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from months.calling import Run, is_ours
from months.msp import ENDPOINT, Customer, Msp

from connector.reports.fleet import Member, fleet_text
from connector.runs.fleet import Fleet as Workers
from connector.simulator import Fault, Simulator, World

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
        process = self.start(*args, **settings)
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(args, process.returncode, stdout, stderr)

    def start(self, *args: str, **settings: str) -> subprocess.Popen[str]:
        """Start a command and go on."""
        kept = {name: value for name, value in os.environ.items() if not is_ours(name)}
        return subprocess.Popen(
            [sys.executable, "-m", "connector", *args],
            cwd=self.folder,
            env={**kept, "CONNECTOR_TODAY": str(TODAY), **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
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


def test_a_night_that_a_guard_refused_is_told_as_refused(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    assert run("nightly").exit_code == 0
    msp.next_month()
    alder.uses("CIXA-MSP", 1)
    msp.mappings["guards"] = {"at_least": 1, "decrease": 0.01}
    assert "2026-11 refused by decrease" in Member("alder", 4, 1.0, run("nightly").json).told


def test_a_night_that_could_not_write_all_is_told_as_partly_billed(
    msp: Msp, run: Run, simulator: Simulator
) -> None:
    msp.customers(2)
    simulator.faults.add(Fault("409", vendor="connectwise", method="POST"))
    assert "2026-10 partly billed (1 done, 1 failed)" in Member("alder", 6, 1.0, run("nightly").json).told


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_a_profile_warns_of_is_told_with_its_name(tmp_path: Path, stack: ExitStack, form: str) -> None:
    fleet = Fleet(tmp_path, [])
    partner = joins(fleet, stack, 1)
    partner.settings(CONNECTOR_METRICS="figures")
    (partner.folder / "figures").mkdir()

    done = fleet("--log-format", form, "fleet", "nightly", "--json")

    (member,) = json.loads(done.stdout)["profiles"]
    assert (done.returncode, member["exit_code"]) == (0, 0)
    (warning,) = member["warnings"]
    assert warning.startswith("Warning: The metrics ")
    told = done.stderr.splitlines()[0]
    if form == "json":
        line = json.loads(told)
        assert (line["level"], line["message"][:24]) == ("warning", "partner 01: The metrics ")
    else:
        assert told.startswith("Warning: partner 01: The metrics ")


def test_an_error_is_told_once_and_is_no_warning(tmp_path: Path, stack: ExitStack) -> None:
    fleet = Fleet(tmp_path, [])
    partner = joins(fleet, stack, 1)
    (partner.folder / "mappings.yaml").write_text("version: 1\nfoo: 1\n", encoding="utf-8")
    (member,) = json.loads(fleet("fleet", "nightly", "--json").stdout)["profiles"]
    assert (member["exit_code"], member["warnings"]) == (2, [])
    assert "unknown key" in member["message"]


@pytest.mark.parametrize("option", ["--log-file", "--metrics"])
def test_one_file_for_all_profiles_is_refused_with_the_way_to_have_one_for_each(
    tmp_path: Path, stack: ExitStack, option: str
) -> None:
    fleet = Fleet(tmp_path, [])
    partner = joins(fleet, stack, 1)
    done = fleet(option, "a file", "fleet", "nightly")
    assert (done.returncode, partner.customer.bills) == (2, {})
    assert "in each profile's .env: CONNECTOR_LOG_FILE and CONNECTOR_METRICS" in done.stderr


def test_files_that_the_environment_names_are_said_to_be_no_profiles(
    tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Fleet(tmp_path, [])
    partner = joins(fleet, stack, 1)
    partner.settings(CONNECTOR_METRICS="own.prom")
    done = fleet("fleet", "nightly", CONNECTOR_METRICS="of-all.prom")
    assert (done.returncode, partner.customer.bills) == (0, {ENDPOINT: 1})
    assert "Warning: CONNECTOR_METRICS of the environment counts for no profile" in done.stderr
    assert (partner.folder / "own.prom").exists()
    assert not list(tmp_path.rglob("of-all.prom"))


def test_a_folder_with_neither_settings_nor_a_map_is_skipped_and_told(
    tmp_path: Path, stack: ExitStack
) -> None:
    fleet = Fleet(tmp_path, [])
    joins(fleet, stack, 1)
    (tmp_path / "profiles" / "backup of partner 01").mkdir()
    done = fleet("fleet", "nightly", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["skipped"]) == (0, ["backup of partner 01"])
    assert [each["profile"] for each in document["profiles"]] == ["partner 01"]
    assert "Warning: backup of partner 01 is skipped" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a signal for one process alone is POSIX's")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_fleet_that_is_interrupted_says_who_is_done_and_who_not(
    tmp_path: Path, stack: ExitStack, sent: signal.Signals
) -> None:
    fleet = Fleet(tmp_path, [])
    first, second, third = (joins(fleet, stack, number) for number in (1, 2, 3))
    process: list[subprocess.Popen[str]] = []

    def interrupt(vendor: str, method: str, *_: object) -> None:
        if (vendor, method) == ("connectwise", "POST"):
            process[0].send_signal(sent)

    second.simulator.before_request = interrupt
    second.simulator.faults.add(Fault("timeout-before", vendor="connectwise", method="POST"))
    process.append(fleet.start("fleet", "nightly", "--jobs", "1", "--json"))
    stdout, stderr = process[0].communicate(timeout=50)

    document = json.loads(stdout)
    assert process[0].returncode == document["exit_code"] == 130
    cut = {each["profile"]: each["interrupted"] for each in document["profiles"]}
    assert cut == {first.name: None, second.name: "broken off", third.name: "not begun"}
    assert (first.customer.bills, third.customer.bills) == ({ENDPOINT: 1}, {})
    assert "What was written to ConnectWise before stays" in stderr
    assert "No addition was written" not in stderr.splitlines()[-1]


def test_the_summary_of_an_interrupted_fleet_tells_how_many_are_not_done() -> None:
    done, cut = Member("a", 0, 1.0, {"problems": []}), Member("b", 6, 1.0).broken_off()
    lines = fleet_text([done.broken_off(), cut, Member("c", None, 0.0, cut="not begun")], None).splitlines()
    assert lines[-1] == "3 profiles: 1 with exit code 0, 1 broken off, 1 not begun."
