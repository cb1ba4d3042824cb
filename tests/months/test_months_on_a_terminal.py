"""Commands that ask nothing, on a terminal: they answer there as they do when piped."""

import sys
from collections.abc import Iterator

import pytest
from months.calling import Run
from months.msp import Msp
from months.sitting import Person

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")

FIREWALL, SPARE = "DEMO-XGS107-XSP-MSP", "X1C7SPARE04"


@pytest.fixture
def person(msp: Msp, run: Run) -> Iterator[Person]:
    msp.maps(FIREWALL, "SOPHOS-XGS107")
    msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 3})
    msp.firewall(SPARE, FIREWALL)
    run.prepare()
    run.map_kept = True
    sitting = Person(run)
    yield sitting
    sitting.end()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("products", "SOPHOS-ENDPOINT"),
        ("products search endpoint", "SOPHOS-ENDPOINT"),
        ("products show CIXA-MSP", "SOPHOS-ENDPOINT"),
        ("products off CIXA-MSP", "sync: false"),
        ("tenants", "usage  active"),
        ("tenants search ald", "Alder"),
        ("tenants agreements Alder", "Agreements of Alder"),
        ("tenants export tenants.csv", "tenants.csv"),
        ("firewalls", "NOBODY"),
        ("firewalls --unassigned", SPARE),
        (f"firewalls assign {SPARE} Alder_Ltd", f"+  {SPARE}: "),
        ("mappings check", "every name in the map is known"),
        ("mappings schema", "json-schema.org"),
        ("mappings diff", "It would also make:"),
        ("usage", "CIXA-MSP"),
        ("usage totals", "CEMA-MSP"),
        ("usage pull", "stored for the first time"),
        ("plan --source live", "LIVE_WITHOUT_FIREWALLS"),
    ],
)
def test_a_command_that_asks_nothing_answers_on_a_terminal(person: Person, command: str, told: str) -> None:
    code, shown = person(command)
    assert code == 0, shown
    assert told in shown
    assert "Traceback" not in shown
