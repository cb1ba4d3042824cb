"""What earlier runs recorded, asked for by people: product codes, firewalls, results, the map last used."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connector.ledger.store import Ledger
from connector.model import Period
from connector.planning.successors import SUSPECTED
from connector.planning.unattended import NEEDS_APPROVAL
from connector.planning.uncounted import NOT_COUNTED

Outcome = Literal["failed", "unclear", "unresolved", "held", "not_tried", "planned", "done", "unchanged"]
_WORST_FIRST: tuple[Outcome, ...] = (
    "failed",
    "unclear",
    "unresolved",
    "held",
    "not_tried",
    "planned",
    "done",
    "unchanged",
)


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """A product code that usage once had, with what Sophos called it last."""

    code: str
    name: str
    group: str
    first: Period
    last: Period


@dataclass(frozen=True, slots=True)
class LastResult:
    """What the last run over all tenants made of one of them, and what to do about it."""

    outcome: Outcome
    message: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run over all tenants; tenants that are not in `results` had nothing to change."""

    number: int
    kind: str
    period: str
    finished: str
    results: Mapping[str, LastResult]

    def of(self, tenant_id: str) -> LastResult:
        """Return one tenant's result."""
        return self.results.get(tenant_id, LastResult("unchanged"))


@dataclass(frozen=True, slots=True)
class UsedMap:
    """mappings.yaml as a run used it, to the letter."""

    run: int
    text: str


def codes_seen(ledger: Ledger) -> dict[str, CodeSeen]:
    """Return every product code that usage ever had."""
    return {
        row["code"]: CodeSeen(
            row["code"],
            row["name"],
            row["product_group"],
            Period.parse(row["first_period"]),
            Period.parse(row["last_period"]),
        )
        for row in ledger.query("SELECT * FROM products ORDER BY code")
    }


def device_codes(ledger: Ledger) -> frozenset[str]:
    """Return the product codes that a firewall was ever billed by, also one that is registered no more."""
    found = ledger.query(
        "SELECT DISTINCT product_code FROM usage_rows WHERE serial IN (SELECT serial FROM firewalls)"
    )
    return frozenset(row["product_code"] for row in found)


def tenant_names(ledger: Ledger) -> dict[str, str]:
    """Return the name of every tenant that Sophos ever listed, by id."""
    return {row["id"]: row["name"] for row in ledger.query("SELECT id, name FROM tenants ORDER BY id")}


def billed_since(ledger: Ledger) -> dict[str, Period]:
    """Return the first stored month with usage of each firewall, by serial number."""
    rows = ledger.query(
        "SELECT serial, min(period) AS first FROM usage_rows JOIN usage ON usage.id = usage_rows.usage "
        "WHERE serial IN (SELECT serial FROM firewalls) GROUP BY serial"
    )
    return {row["serial"]: Period.parse(row["first"]) for row in rows}


def last_applied_map(ledger: Ledger) -> UsedMap | None:
    """Return mappings.yaml as it was used by the last run that wrote to ConnectWise."""
    found = ledger.query(
        "SELECT runs.id, text FROM runs JOIN maps ON maps.hash = runs.map WHERE applied = 1 "
        "ORDER BY runs.id DESC LIMIT 1"
    )
    return UsedMap(found[0]["id"], found[0]["text"]) if found else None


def last_run(ledger: Ledger) -> LastRun | None:
    """Return what the last run over all tenants made of each, or None before the first."""
    found = ledger.query(
        # An `apply` is asked for by its digest alone: what it was for stands with its plan.
        "SELECT runs.*, document FROM runs JOIN plans USING (digest) WHERE runs.finished_at IS NOT NULL AND "
        "json_extract(plans.options, '$.tenant') IS NULL AND "
        "json_extract(plans.options, '$.product') IS NULL AND "
        "json_extract(plans.options, '$.only') IS NULL AND runs.kind != 'undo' "
        "ORDER BY runs.id DESC LIMIT 1"
    )
    if not found:
        return None
    run = found[0]
    outcomes = {
        row["number"]: row
        for row in ledger.query("SELECT number, outcome, message FROM changes WHERE run = ?", run["id"])
    }
    results: dict[str, LastResult] = {}
    for tenant_id, result in _results(json.loads(run["document"]), outcomes):
        before = results.get(tenant_id)
        if before is None or _WORST_FIRST.index(result.outcome) < _WORST_FIRST.index(before.outcome):
            results[tenant_id] = result
    return LastRun(run["id"], run["kind"], run["period"], run["finished_at"], results)


def _results(
    document: Mapping[str, Any], outcomes: Mapping[int, Mapping[str, Any]]
) -> "list[tuple[str, LastResult]]":
    """Return what became of each change and each unresolved row, tenant by tenant."""
    found: list[tuple[str, LastResult]] = []
    for entry in document["unresolved"]:
        if entry["tenant_id"] is not None:
            told = f"{entry['code']}: {entry['message']}"
            found.append((entry["tenant_id"], LastResult("unresolved", told, entry["next"])))
    for number, change in enumerate(document["changes"]):
        tenants = {part["tenant_id"] for part in (*change["from"], *change["was"])}
        result = _result(change, outcomes.get(number))
        found += [(tenant_id, result) for tenant_id in sorted(tenants)]
    return found


def _result(change: Mapping[str, Any], made: Mapping[str, Any] | None) -> LastResult:
    item = change["item"]
    if change["held"] is not None:
        advice = f"see why in connector plan; if it is right: connector sync --force {change['held']}"
        if change["held"] == NOT_COUNTED:
            advice = "bill the month from the invoice when it is published: connector sync"
        if change["held"] == NEEDS_APPROVAL:
            advice = "look at it, and let it go: connector approve, with the digest that connector runs shows"
        if change["held"] == SUSPECTED:
            advice = "say what the new code is, with the command that connector plan names"
        return LastResult("held", f"{change['held']}: {item}, {change['because']}", advice)
    if made is None:
        return LastResult("planned", f"{item}: {change['because']}", "make it so: connector sync")
    match made["outcome"]:
        case "failed" | "unclear" as outcome:
            return LastResult(outcome, f"{item}: {made['message'] or outcome}", "run connector sync again")
        case "done":
            return LastResult("done", f"{item}: {change['after']}")
        case _:
            return LastResult("not_tried", f"{item}: not tried", "run connector sync again")
