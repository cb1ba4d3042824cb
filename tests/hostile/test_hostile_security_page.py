"""SECURITY.md is true: it names every table, every request, every secret, and every right that is needed."""

import re
from pathlib import Path

import pytest
from hostile.between import Exchange, Reply
from hostile.desk import Desk
from months.msp import ENDPOINT

from connector.settings import SECRETS
from connector.vendors.connectwise_report import RIGHT

ROOT = Path(__file__).parents[2]
LISTS = ("companies", "agreements", "catalog", "additions", "tickets", "AgreementAdditions")
"""How the paths of lists end whose rows are counted where they came in disorder."""
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of every table row in a section."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]


def requests() -> set[tuple[str, str]]:
    """Return method and path of every request that the page tells of."""
    return {
        (row[0].strip(), path)
        for row in rows("What is sent, and to whom")
        for path in re.findall(r"`(/[^`]+)`", row[1])
    }


def test_every_table_is_on_the_page_and_no_other() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "connector" / "ledger").glob("*.py"))
    told = {match[0] for row in rows("What is kept, and where") if (match := re.findall(r"`(\w+)`", row[0]))}
    assert told == set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", sources))


def _shape(path: str) -> str:
    path = re.sub(r"^.*/apis/3\.0", "", path.partition("?")[0])
    path = re.sub(r"/usage/\d+/\d+$", "/usage/{year}/{month}", path)
    path = re.sub(r"/companyinfo/[^/]+$", "/companyinfo/{company}", path)
    return re.sub(r"/\d+(?=/|$)", "/{id}", path)


def test_every_request_that_is_made_is_on_the_page_and_no_other(at_desk: Desk) -> None:
    alder, *_ = [at_desk.msp.customer(name, {"CIXA-MSP": 12}) for name in ("Alder", "Birch", "Cedar")]
    at_desk.run.settings["CONNECTWISE_URL"] = at_desk.between.url  # a site, which has to be asked
    assert at_desk.run("doctor").exit_code == 0
    assert at_desk.run("sync").exit_code == 0
    alder.uses("CIXA-MSP", 13)

    def unclear(exchange: Exchange) -> Reply | None:
        return Reply(b"{}") if exchange.method == "PATCH" else None

    at_desk.spoil = unclear
    assert at_desk.run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 13}

    november = {"CONNECTOR_TODAY": "2026-11-03"}  # a month that no invoice has billed
    assert at_desk.run("plan", "--source", "live", **november).json["period"] == "2026-11"

    at_desk.run.catalog_written = True
    chosen = ("--subcategory", "Sophos", "--type", "Subscription", "--unit", "Each", "--price", "2", "--yes")
    assert at_desk.run("products", "add", "CIXA-MSP", "--identifier", "NEW", *chosen).exit_code == 2
    alder.uses("NDR-MSP", 1)
    assert at_desk.run("products", "add", "NDR-MSP", *chosen).exit_code == 0
    at_desk.run.map_kept = True
    at_desk.msp.maps("NDR-MSP", "NDR-MSP")
    assert at_desk.run("products", "edit", "NDR-MSP", "--price", "3", "--yes").exit_code == 0

    at_desk.run.map_kept = False
    at_desk.run.tickets_written = True
    at_desk.msp.next_month()
    later = {"CONNECTOR_TODAY": str(at_desk.msp.world.today)}
    at_desk.msp.mappings["notify"] = {"ticket": {"company": alder.company.identifier}}
    for quantity in (1, 2):
        alder.uses("XDR-MSP", quantity)
        assert at_desk.run("nightly", **later).exit_code == 3
    at_desk.msp.maps("XDR-MSP", "XDR-MSP")
    at_desk.run("nightly", **later)  # which closes the ticket of the unmapped product

    made = {(it.method, _shape(it.path)) for it in at_desk.simulator.requests}
    counts = {(method, path) for method, path in requests() if path.endswith("/count")}
    assert made == requests() - counts
    assert counts == {
        (method, f"{path}/count") for method, path in requests() if method == "GET" and path.endswith(LISTS)
    }


def test_every_path_in_the_clients_is_on_the_page() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "connector" / "vendors").glob("*.py"))
    literals = set(re.findall(r'f?"(?:\{self\._given\})?(/[a-z][\w/{}.]*)', sources)) - {"/apis/3.0"}
    known = {re.sub(r"\{[^}]*\}", "{}", path) for _, path in requests()}
    assert len(literals) > 5
    assert {re.sub(r"\{[^}]*\}?", "{}", path) for path in literals} <= known


def test_the_roles_table_has_just_what_the_errors_ask_for() -> None:
    source = (ROOT / "connector" / "vendors" / "connectwise.py").read_text("utf-8")
    asked: dict[str, set[str]] = {}
    for action, levels in re.findall(r'= "(\w+ > [\w ]+): ([\w ]+)"', source):
        asked.setdefault(action, set()).update(re.findall(r"Add|Edit|Delete|Inquire", levels))
    header, *table = (
        [cell.strip() for cell in row] for row in rows("The least that the keys must be allowed")
    )
    told = {
        row[0]: {verb for verb, level in zip(header[1:5], row[1:5], strict=True) if level == "All"}
        for row in table
    }
    assert told == asked
    assert all(level in {"All", "None"} for row in table for level in row[1:5])


def test_the_right_to_the_report_is_on_the_page() -> None:
    assert f'"{RIGHT}"' in PAGE


def test_the_rights_of_the_catalog_commands_are_on_the_page() -> None:
    source = (ROOT / "connector" / "vendors" / "connectwise_items.py").read_text("utf-8")
    rights = set(re.findall(r'= "(\w+ > [\w ]+: [\w/ ]+)"', source)) - {
        "Procurement > Product Catalog: Inquire ALL"
    }
    assert rights
    for right in rights:
        assert f'"{right}"' in PAGE


@pytest.mark.parametrize("heading", ["How secrets are handled", "File permissions", "Threat model"])
def test_it_has_its_sections(heading: str) -> None:
    assert f"\n## {heading}\n" in PAGE


def test_a_secret_has_a_file_form_as_it_says() -> None:
    named = set(re.findall(r"([A-Z_]+)_FILE=", PAGE))
    assert named
    assert named <= SECRETS
