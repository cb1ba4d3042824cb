"""`simulate --world discrepancies`: `diagnose` names each thing that is wrong there, and nothing else."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from months.calling import WRITES, Processes, Result, Run, is_ours

from connector.cli.rehearsal import play
from connector.cli.simulate import simulated_settings
from connector.simulator import Simulator, Where, discrepancies_world

NUMBERS: dict[str, tuple[str | None, str | None, str | None, str | None]] = {
    # What is used, what was written last, what ConnectWise has, and what that is worth in dollars.
    "UNDER_BILLED": ("28", "20", "20", "36"),  # 8 at 4.50
    "OVER_BILLED": ("29", "35", "35", "27"),  # 6 at 4.50
    "NO_ADDITION": ("9", "9", None, "31.5"),  # 9 at 3.50
    "ORPHAN_ADDITION": (None, "8", "8", "12"),  # 8 at 1.50
    "HAND_EDITED": ("12", "12", "10", "9"),  # 2 at 4.50
    "ENDED_BY_HAND": ("30", "30", None, "135"),  # 30 at 4.50
    "DUPLICATE_ADDITIONS": ("14", "14", "28", "63"),  # 14 at 4.50
    "OFF_STILL_BILLING": (None, "25", "25", "87.5"),  # 25 at 3.50
    "PERIOD_CLOSED": ("34", "30", "30", "120"),  # 4 at 30.00
    "PRICE_ZERO": ("13", "13", "13", "27.3"),  # cost of 13 at 2.10
    "MARGIN_NEGATIVE": ("10", "10", "10", "2"),  # 10 times the 0.20 between 1.90 and 2.10
    "UNMAPPED_PRODUCT": ("1", None, None, "21"),  # at cost
    "UNMAPPED_TENANT": ("5", None, None, "10.5"),  # 5 at cost 2.10
    "FIREWALL_UNASSIGNED": ("1", None, None, "42"),  # at cost
    "RESTATED": ("23", "20", "20", "6.3"),  # 3 at cost 2.10
}


def asked(folder: Path, settings: Mapping[str, str], *command: str) -> Result:
    """Run a command as a user does, in a folder of their own."""
    mine = {name: value for name, value in os.environ.items() if not is_ours(name)}
    done = subprocess.run(
        [sys.executable, "-m", "connector", *command],
        cwd=folder,
        env={**mine, **settings, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(discrepancies_world()) as serving:
        yield serving


@pytest.fixture(scope="module")
def told(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What diagnose says on the last day, and what it asked of the vendors meanwhile."""
    folder, desk = tmp_path_factory.mktemp("the MSP's"), tmp_path_factory.mktemp("another desk")
    play(simulator, folder)
    answer = asked(desk, simulated_settings(simulator, folder), "diagnose", "--json")
    assert list(desk.iterdir()) == []
    return Result(answer.exit_code, answer.stdout, answer.stderr, simulator.requests)


def in_place(item: Mapping[str, Any], where: Where) -> bool:
    """Whether an item is at the place its author knows, and says enough to find it."""
    said = {
        "tenant_id": where.tenants,
        "product_code": where.product_codes,
        "serial": (where.serial,),
        "agreement_id": (where.agreement_id,),
        "item_id": (where.item_id,),
        "addition_id": where.additions,
    }
    right = all(item[name] is None or item[name] in places for name, places in said.items())
    if where.agreement_id is not None:
        return right and item["agreement_id"] == where.agreement_id
    if where.serial is not None:
        return right and item["serial"] == where.serial
    if not where.tenants:
        return right and f"id {where.item_id} " in item["message"]
    return right and (item["tenant_id"] is not None or len(where.tenants) > 1)


def test_diagnose_names_one_of_each_class_and_nothing_else(told: Result, simulator: Simulator) -> None:
    named = Counter(item["class"] for item in told.json["items"])
    assert named == Counter(list(simulator.world.wrong))
    assert (told.exit_code, told.json["exit_code"], told.json["period"]) == (3, 3, "2026-10")


def test_each_is_named_where_the_world_s_author_put_it(told: Result, simulator: Simulator) -> None:
    wrong = simulator.world.wrong
    misplaced = [item for item in told.json["items"] if not in_place(item, wrong[item["class"]])]
    assert misplaced == []


def test_each_has_the_numbers_of_the_story_side_by_side_and_what_they_are_worth(told: Result) -> None:
    said = {
        item["class"]: (
            item["usage"],
            item["written"],
            item["connectwise"],
            (item["money"] or {}).get("amount"),
        )
        for item in told.json["items"]
    }
    assert {name: said[name] for name in NUMBERS} == NUMBERS
    assert {item["money"]["currency"] for item in told.json["items"] if item["money"]} == {"USD"}


def test_each_has_one_next_command(told: Result) -> None:
    for item in told.json["items"]:
        assert item["next"].startswith("connector "), item
        assert "\n" not in item["next"]


def test_what_could_not_be_read_is_not_called_checked(told: Result, simulator: Simulator) -> None:
    coverage = told.json["coverage"]
    assert coverage["rows"] == len(simulator.world.usage[2026, 10])
    # Two rows of a code that may be another's, one of a new product, of a new tenant, of a firewall that is
    # nobody's, of an agreement that is cancelled and of one that could not be read, and one that is restated.
    assert coverage["rows"] - coverage["rows_checked"] == 8
    # The same, but for the firewall, which has no tenant.
    assert coverage["tenants"] - coverage["tenants_checked"] == 7


def test_nothing_was_written_meanwhile(told: Result) -> None:
    assert told.requests
    assert not [it for it in told.requests if it.vendor == "connectwise" and it.method in WRITES]


def test_simulate_prints_all_that_diagnose_needs(run_process: Processes, tmp_path: Path) -> None:
    served = run_process.start("simulate", "--world", "discrepancies")
    assert served.stdout is not None
    printed = (line.rstrip("\n").partition("=") for line in iter(served.stdout.readline, "\n"))
    settings = {name: value for name, _, value in printed}
    assert settings["CONNECTOR_TODAY"] == "2026-11-03"
    listed = asked(tmp_path, settings, "usage", "show", "--json").json
    assert listed["period"] == "2026-10"
    diagnosed = asked(tmp_path, settings, "diagnose", "--json")
    assert (diagnosed.exit_code, len(diagnosed.json["items"])) == (3, 20)
    served.terminate()
    _, story = served.communicate(timeout=30)
    assert "20 things are wrong" in story
    assert "connector diagnose" in story


def test_a_world_is_asked_for_in_one_way(run: Run) -> None:
    refused = run("simulate", "--world", "small", "--tenants", "5")
    assert refused.exit_code == 2
    assert "--world" in refused.json["error"]["next"]
    assert run("simulate", "--world", "middling").exit_code == 2
