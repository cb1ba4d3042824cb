"""Checks what `connector explain` says of additions against the simulated world, not against our code."""

import sqlite3
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from copy import copy
from decimal import Decimal
from typing import Any

from months.calling import Run

from connector.simulator import Addition, UsageRow, World

Identity = tuple[str, str, str, str, Decimal]
Months = dict[str, list[UsageRow]]
"""The rows of each month that Sophos ever reported."""


def explained(
    run: Run,
    world: World,
    *,
    besides: Collection[int] = (),
    hidden: Collection[int] = (),
    seen: Months | None = None,
) -> dict[int, dict[str, Any]]:
    """Explain every addition of the world, check each answer, and return the lines by addition.

    `besides` are additions on agreements that the map does not name: nothing may be known of these. `hidden`
    are agreements that ConnectWise does not show. `seen` are the rows of months that Sophos has corrected
    since, as `noted` has them; without it they are as they were.
    """
    months = noted(world, seen)
    found: dict[int, dict[str, Any]] = {}
    claimed: Counter[tuple[str, Identity]] = Counter()
    for addition_id, addition in sorted(world.additions.items()):
        result = run("explain", "--addition", str(addition_id))
        if addition_id in besides:
            assert result.exit_code == 2, result.stdout
            continue
        assert result.exit_code == 0, result.stdout
        assert not result.writes
        (line,) = result.json["lines"]
        assert (line["connectwise"] is None) == (addition.agreement_id in hidden)
        check_line(run, world, months, addition, line)
        if line["billed"]:
            claimed.update(rows_of(line))
        found[addition_id] = line
    twice = [each for each, count in claimed.items() if count > alike(months, each)]
    assert not twice, f"rows that explain more than one line: {twice}"
    return found


def check_line(run: Run, world: World, months: Months, addition: Addition, line: dict[str, Any]) -> None:
    """Compare one line with the world: what is there, who wrote it, and the rows behind it."""
    assert (line["addition_id"], line["agreement_id"], line["item_id"]) == (
        addition.id,
        addition.agreement_id,
        addition.item_id,
    )
    check_connectwise(world, addition, line)
    writes = [it for it in world.history if it.addition_id == addition.id and isinstance(it.after, Addition)]
    mark = f"sophos-sync:{addition.agreement_id}:{addition.item_id}"
    marked = mark in (addition.serial_number or "")
    assert line["ours"] == (bool(writes) or marked), (
        "a line is ours if the API member wrote it, or by its mark"
    )
    check_history(run, writes, line)
    check_parts(world, months, line)
    if line["billed"] and line["adds_up"] and not line["ended"]:
        wrote = writes[-1].after
        assert isinstance(wrote, Addition)
        assert Decimal(line["usage"]) == wrote.quantity == Decimal(line["written"])


def check_connectwise(world: World, addition: Addition, line: dict[str, Any]) -> None:
    """The line is told as ConnectWise has it now, or as far as nothing of it has to be shown."""
    told = line["connectwise"]
    if told is None:
        assert line["now"] is None
        return
    quantity, less = addition.quantity or Decimal(0), addition.less_included or Decimal(0)
    assert Decimal(told["quantity"]) == quantity
    assert Decimal(told["less_included"]) == less
    assert Decimal(told["billed"]) == quantity - min(less, quantity)
    assert Decimal(told["unit_price"]) == addition.unit_price
    assert told["cancelled"] == (str(addition.cancelled) if addition.cancelled else None)
    assert line["mark"] == (addition.serial_number or None)
    company = world.companies[world.agreements[addition.agreement_id].company_id]
    assert line["company"] == company.identifier
    assert line["agreement"] == world.agreements[addition.agreement_id].name
    assert line["item"] == world.items[addition.item_id].identifier


def check_history(run: Run, writes: list[Any], line: dict[str, Any]) -> None:
    """Every write of the world is told, in order, with a run and a change that are in the state folder."""
    done = [event for event in line["history"] if event["outcome"] == "done"]
    if writes:
        assert [Decimal(event["after"]) for event in done if event["kind"] != "end"] == [
            it.after.quantity for it in writes if not ends(it)
        ]
        assert [event["kind"] for event in done].count("create") == (writes[0].before is None)
        assert line["made_by"] == done[-1]
    else:
        assert done == []
    path = run.state / "connector.db"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        for event in line["history"]:
            made = db.execute(
                "SELECT period, who, version, digest, applied FROM runs WHERE id = ?", (event["run"],)
            ).fetchone()
            assert made == (event["period"], event["who"], event["version"], event["digest"], 1)
        for event in done:
            change = db.execute(
                "SELECT kind, after, because FROM changes WHERE run = ? AND addition_id = ?",
                (event["run"], line["addition_id"]),
            ).fetchone()
            assert change == (event["kind"], event["after"], event["because"])


def ends(write: Any) -> bool:
    """Whether a write gave a line its end."""
    return write.before is not None and write.before.cancelled != write.after.cancelled


def check_parts(world: World, months: Months, line: dict[str, Any]) -> None:
    """The rows of each part are the world's, add up, and are of that tenant and product."""
    for part in line["parts"]:
        rows = [row_of(months[line["period"]], row) for row in part["rows"]]
        assert sum(Decimal(row.quantity) for row in rows) == Decimal(part["quantity"])
        for told, row in zip(part["rows"], rows, strict=True):
            assert row.product.code == part["product_code"]
            check_placed(world, told["placed_by"], row, part["tenant_id"])
        serials = {row.serial_or_account.strip().upper() for row in rows}
        assert set(part["serials"]) == serials
        for entry in (*part["mapping"], *(each for told in part["rows"] for each in told["mapping"])):
            assert entry["file"] == "mappings.yaml"


def check_placed(world: World, by: str, row: UsageRow, tenant_id: str) -> None:
    """What placed a row is what the world says of it (contract rule 4)."""
    serial = row.serial_or_account.strip().upper()
    firewall = world.firewalls.get(serial)
    match by:
        case "accountId":
            assert row.account_id == tenant_id
        case "externalId":
            assert row.account_id is None
            assert row.external_id == tenant_id
        case "firewalls":
            assert world.decisions.firewalls[serial] == tenant_id
        case "billingTenant":
            assert firewall is not None
            assert firewall.billing_tenant == tenant_id
        case "tenant":
            assert firewall is not None
            assert firewall.billing_tenant is None
            assert firewall.tenant == tenant_id
        case _:
            raise AssertionError(f"{by} is no rule of the world")


def rows_of(line: dict[str, Any]) -> list[tuple[str, Identity]]:
    """Return what tells a line's rows apart, with their month."""
    return [(line["period"], identity(row)) for part in line["parts"] for row in part["rows"]]


def identity(told: dict[str, Any]) -> Identity:
    """Return what tells one row of the world from another."""
    return (
        told.get("accountId") or "",
        told.get("accountNumberOrSerialNumber") or "",
        told["orderLineItemNumber"],
        told["productCode"],
        Decimal(told["quantity"]),
    )


def identity_of(row: UsageRow) -> Identity:
    """Return the same of a row of the world."""
    return (
        row.account_id or "",
        row.serial_or_account,
        row.order_line,
        row.product.code,
        Decimal(row.quantity),
    )


def row_of(rows: Collection[UsageRow], told: dict[str, Any]) -> UsageRow:
    """Return the row of the world that a told row is."""
    found = [row for row in rows if identity_of(row) == identity(told)]
    assert found, f"the world never had such a row: {told}"
    return found[0]


def alike(months: Months, row: tuple[str, Identity]) -> int:
    """Return how many rows of the world are told alike."""
    period, told = row
    return sum(identity_of(each) == told for each in months[period])


def noted(world: World, before: Months | None = None) -> Months:
    """Return copies of the rows of each month, beside those that it had before."""
    months = {period: list(rows) for period, rows in (before or {}).items()}
    for year, month in world.usage:
        rows = months.setdefault(f"{year}-{month:02}", [])
        known = Counter(map(identity_of, rows))
        for row in world.rows((year, month)):
            known[identity_of(row)] -= 1
            if known[identity_of(row)] < 0:
                rows.append(copy(row))
    return months
