"""One month, once from Sophos's API and once from the distributor's file: the same plan."""

from typing import Any

import pytest
from consumption.consumption_files import csv_file, xlsx_file
from months.calling import Run
from months.msp import Msp

from connector.simulator import Simulator, World, generated_world
from connector.simulator.mapping_text import mappings_text

HEADER = (
    "Start Date", "End Date", "Serial Number", "End User Identifier", "SKU", "Product Code",
    "Product Description", "Total Quantity", "Unit MSRP", "Unit Price", "Currency",
)  # fmt: skip


@pytest.fixture
def world() -> World:
    """Twenty-five tenants, firewalls among their devices, all mapped."""
    return generated_world(25, seed=5)


def distributor_rows(run: Run, simulator: Simulator) -> list[list[Any]]:
    """Return the month as a distributor lays it out: the customer's name, and no id of anything."""
    run("usage", "pull", "2026-10")
    told = run("usage", "2026-10", "--raw").json["rows"]
    assert len(told) > 100
    names = {tenant.id: tenant.name for tenant in simulator.world.tenants.values()}
    return [
        [
            "01/10/2026",
            "31/10/2026",
            row["accountNumberOrSerialNumber"],
            names.get(row.get("accountId", ""), ""),
            row["sku"],
            row["productCode"],
            row["productDescription"],
            int(row["billableQuantity"]),
            row["unitMsrp"],
            row["unitPrice"],
            "USD",
        ]
        for row in told
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_plan_from_a_distributors_file_is_the_plan_from_the_api(
    msp: Msp, run: Run, simulator: Simulator, world: World, kind: str
) -> None:
    run.map_kept = True
    (run.folder / "mappings.yaml").write_text(mappings_text(world), encoding="utf-8")
    from_api = run("plan", "2026-10").json
    rows = distributor_rows(run, simulator)
    made = csv_file if kind == "csv" else xlsx_file
    (run.folder / f"october.{kind}").write_bytes(made(HEADER, *rows))

    imported = run("usage", "import", f"october.{kind}")
    assert (imported.exit_code, imported.json["rows"]["failed"]) == (0, 0), imported.json
    from_file = run("plan", "2026-10", "--source", "file").json

    assert from_file["source"] == "file"
    assert from_file["coverage"] == from_api["coverage"]
    assert without_serials(from_file["changes"]) == without_serials(from_api["changes"])
    assert len(from_api["changes"]) > 50
    assert from_file["unresolved"] == from_api["unresolved"] == []


def without_serials(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return changes less the serial and account numbers of their parts."""
    sides = ("from", "was")
    return [
        {**change, **{side: [{**part, "serials": None} for part in change[side]] for side in sides}}
        for change in changes
    ]
