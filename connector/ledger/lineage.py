"""What the ledger knows of how a line of ConnectWise came to its quantity: runs, changes, rows, maps."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connector.ledger.history import device_codes
from connector.ledger.imports import FailedRow
from connector.ledger.recall import usage_row_of
from connector.ledger.records import options_of, parts_of
from connector.ledger.store import Ledger
from connector.model import Agreement, CatalogItem, Company, Firewall, Key, Mappings, Period, Tenant, UsageRow
from connector.planning.directory import Directory, Name, folded
from connector.planning.findings import Options, Part
from connector.planning.uncounted import Uncounted


@dataclass(frozen=True, slots=True)
class RunMade:
    """A run that wrote to ConnectWise: `usage` is the snapshot it billed, `map` the map it used, by hash.

    `undoes` is the run that it took back.
    """

    number: int
    kind: str
    period: Period
    source: str
    digest: str
    who: str
    version: str
    started_at: str
    usage: int | None
    map: str | None
    options: Options
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeMade:
    """One change as it was written down, with what became of it; `parts` fed it then, `was` before."""

    run: int
    number: int
    kind: str
    key: Key
    addition_id: int | None
    before: Decimal | None
    after: Decimal
    mark: str
    held: str | None
    because: str
    parts: tuple[Part, ...]
    was: tuple[Part, ...]
    outcome: str
    message: str | None
    request_id: str | None
    sent_at: str | None
    answered_at: str | None


@dataclass(frozen=True, slots=True)
class StoredLine:
    """An addition as the ledger has it; `run` is the one that wrote or saw it last."""

    id: int
    key: Key
    quantity: Decimal
    parts: tuple[Part, ...]
    ended: str | None
    closed: bool
    run: int


def runs_applied(ledger: Ledger) -> tuple[RunMade, ...]:
    """Return every run that wrote to ConnectWise, or had nothing to write, in their order."""
    found = ledger.query(
        "SELECT runs.id, runs.kind, runs.period, runs.source, digest, who, version, runs.started_at, map, "
        "coalesce(planned_from, usage) AS usage, coalesce(plans.options, runs.options) AS options, "
        "json_extract(runs.options, '$.undo') AS undoes "
        "FROM runs LEFT JOIN plans USING (digest) "
        "WHERE applied = 1 AND runs.period IS NOT NULL ORDER BY runs.id"
    )
    return tuple(
        RunMade(
            number=row["id"],
            kind=row["kind"],
            period=Period.parse(row["period"]),
            source=row["source"] or "",
            digest=row["digest"] or "",
            who=row["who"],
            version=row["version"],
            started_at=row["started_at"],
            usage=row["usage"],
            map=row["map"],
            options=options_of(row["options"]),
            undoes=row["undoes"],
        )
        for row in found
    )


def lines_stored(ledger: Ledger) -> dict[int, StoredLine]:
    """Return every addition that is or was ours, by id."""
    return {
        row["id"]: StoredLine(
            row["id"],
            Key(row["agreement_id"], row["item_id"]),
            Decimal(row["quantity"]),
            parts_of(row["parts"]),
            row["ended"],
            bool(row["closed"]),
            row["run"],
        )
        for row in ledger.query("SELECT * FROM additions ORDER BY id")
    }


def changes_of(ledger: Ledger, keys: Collection[Key]) -> tuple[ChangeMade, ...]:
    """Return every change of these keys that was written down, in the order of their making."""
    found = []
    for key in sorted(set(keys)):
        found += ledger.query("SELECT * FROM changes WHERE agreement_id = ? AND item_id = ?", *key)
    return tuple(_change(row) for row in sorted(found, key=lambda row: row["id"]))


def keys_that_name(ledger: Ledger, text: str) -> frozenset[Key]:
    """Return the keys of all changes whose parts may name a tenant or a serial number."""
    found = ledger.query(
        "SELECT DISTINCT agreement_id, item_id FROM changes WHERE instr(parts, ?) OR instr(was, ?)",
        *(json.dumps(text)[1:-1],) * 2,
    )
    return frozenset(Key(row["agreement_id"], row["item_id"]) for row in found)


def numbered_rows(ledger: Ledger, usage: int) -> tuple[tuple[int, UsageRow], ...]:
    """Return the rows of a snapshot with their numbers: in a file, those of a spreadsheet."""
    found = ledger.query("SELECT * FROM usage_rows WHERE usage = ? ORDER BY number", usage)
    return tuple((row["number"], usage_row_of(row)) for row in found)


def document_of(ledger: Ledger, digest: str) -> Mapping[str, Any]:
    """Return a plan as it was shown; one that is not stored shows nothing."""
    found = ledger.query("SELECT document FROM plans WHERE digest = ?", digest)
    document: Mapping[str, Any] = json.loads(found[0]["document"]) if found else {}
    return document


def map_used(ledger: Ledger, digest: str | None) -> str | None:
    """Return mappings.yaml as a run used it, to the letter."""
    found = ledger.query("SELECT text FROM maps WHERE hash = ?", digest) if digest is not None else []
    return found[0]["text"] if found else None


def tenants_seen(ledger: Ledger) -> tuple[Tenant, ...]:
    """Return every tenant that Sophos ever listed."""
    found = ledger.query("SELECT * FROM tenants ORDER BY id")
    return tuple(Tenant(row["id"], row["name"], row["billing_type"], row["status"]) for row in found)


def firewalls_seen(ledger: Ledger) -> tuple[Firewall, ...]:
    """Return every firewall that Sophos ever listed, as it listed it last."""
    return tuple(
        Firewall(row["serial"], row["model"], row["tenant_id"], row["billing_tenant_id"], row["last_contact"])
        for row in ledger.query("SELECT * FROM firewalls ORDER BY serial")
    )


def remembered_directory(ledger: Ledger, mappings: Mappings, today: date) -> Directory:
    """Return ConnectWise's records as far as a map names them and earlier runs have found them.

    Nobody knows from it whether an agreement is active today.
    """
    names = ledger.names()
    companies: dict[int, Company] = {}
    agreements: dict[int, Agreement] = {}
    for entry in mappings.tenants.values():
        company_id = _id_of(names, "company", 0, entry.company)
        if company_id is None:
            continue
        company = companies.setdefault(company_id, Company(company_id, str(entry.company)))
        for said in (entry.agreement, *(each.agreement for each in entry.products.values())):
            found = _id_of(names, "agreement", company_id, said)
            if found is not None:
                agreements.setdefault(
                    found, Agreement(found, str(said), company_id, company.identifier, status="Active")
                )
    items = {
        row["id"]: CatalogItem(row["id"], row["identifier"], row["description"])
        for row in ledger.query("SELECT * FROM items ORDER BY id")
    }
    return Directory(
        companies=companies.values(),
        agreements=agreements.values(),
        items=items.values(),
        remembered=names,
        today=today,
    )


def _id_of(names: Mapping[Name, int], kind: str, company_id: int, reference: str | int | None) -> int | None:
    if isinstance(reference, str):
        return names.get(Name(kind, company_id, folded(reference)))
    return reference


def _change(row: Mapping[str, Any]) -> ChangeMade:
    return ChangeMade(
        run=row["run"],
        number=row["number"],
        kind=row["kind"],
        key=Key(row["agreement_id"], row["item_id"]),
        addition_id=row["addition_id"],
        before=Decimal(row["before"]) if row["before"] is not None else None,
        after=Decimal(row["after"]),
        mark=row["mark"],
        held=row["held"],
        because=row["because"],
        parts=parts_of(row["parts"]),
        was=parts_of(row["was"]),
        outcome=row["outcome"],
        message=row["message"],
        request_id=row["request_id"],
        sent_at=row["sent_at"],
        answered_at=row["answered_at"],
    )


def uncounted_then(ledger: Ledger) -> Uncounted:
    """Return what the last live counts did not tell."""
    tenants, pairs = set(), set()
    for row in ledger.query("SELECT * FROM live_counts WHERE day = (SELECT max(day) FROM live_counts)"):
        if row["outcome"] != "counted":
            tenants.add(row["tenant_id"])
        pairs |= {(row["tenant_id"], code) for code, _, count in json.loads(row["licences"]) if count is None}
    devices = device_codes(ledger)
    return Uncounted(frozenset(tenants), frozenset(pairs), devices, firewalls=bool(devices))


def failed_rows(ledger: Ledger, usage: int) -> tuple[FailedRow, ...]:
    """Return the rows of a file that could not be imported into a snapshot."""
    return tuple(
        FailedRow(
            row["number"],
            row["code"],
            row["reason"],
            row["tenant"],
            row["product_code"],
            Decimal(row["quantity"]) if row["quantity"] is not None else None,
            row["received"],
        )
        for row in ledger.query("SELECT * FROM failed_rows WHERE usage = ? ORDER BY number", usage)
    )
