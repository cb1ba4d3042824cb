"""Values of the ledger <-> the text its columns hold."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from sys import intern
from typing import Any

from sqlite_utils import Database

from connector.model import Period, UsageRow
from connector.planning.change import plain
from connector.planning.findings import Options, Part


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as it was shown: `writes` are its changes, `done` those that the ledger knows are made."""

    digest: str
    period: Period
    source: str
    options: Options
    document: str
    writes: tuple[tuple[str | None, ...], ...]
    done: frozenset[tuple[str | None, ...]]


@lru_cache(maxsize=16384)
def quantity_of(text: str) -> Decimal:
    """Read a quantity; the small ones, which nearly all are, are held in memory once."""
    return Decimal(text)


def parts_text(parts: tuple[Part, ...]) -> str:
    """Write a lineage as JSON; a part says that it is committed only where it is."""
    listed = [
        [part.tenant_id, part.product_code, plain(part.quantity), list(part.serials)]
        + ([True] if part.committed else [])
        for part in parts
    ]
    return json.dumps(listed)


def parts_of(text: str) -> tuple[Part, ...]:
    """Read a lineage."""
    return _parts(json.loads(text))


def parts_of_many(texts: Iterable[str]) -> Iterator[tuple[Part, ...]]:
    """Read lineages, all of them as one JSON text: that is quicker for many."""
    return map(_parts, json.loads(f"[{','.join(texts)}]"))


def _parts(listed: Iterable[list[Any]]) -> tuple[Part, ...]:
    return tuple(
        # The same id or code stands on many lines and is held in memory once.
        Part(intern(tenant_id), intern(code), quantity_of(quantity), tuple(serials), *committed)
        for tenant_id, code, quantity, serials, *committed in listed
    )


def options_text(options: Options) -> str:
    """Write what a person asked for as JSON."""
    return json.dumps(
        {
            "tenant": options.tenant,
            "product": options.product,
            "adopt": options.adopt,
            "recreate": options.recreate,
            "force": sorted(options.force),
            "restate": options.restate,
        }
        | ({"only": sorted(options.only)} if options.only else {})
        | ({"unattended": True} if options.unattended else {})
    )


def options_of(text: str) -> Options:
    """Read what a person asked for."""
    said = json.loads(text)
    return Options(
        tenant=said["tenant"],
        product=said["product"],
        adopt=said["adopt"],
        recreate=said["recreate"],
        force=frozenset(said["force"]),
        restate=said.get("restate", False),
        only=frozenset(said.get("only", ())),
        unattended=said.get("unattended", False),
    )


def date_of(text: str | None) -> date | None:
    """Read a calendar date, or nothing."""
    return date.fromisoformat(text) if text else None


def put_rows(db: Database, usage: int, rows: Iterable[tuple[int, UsageRow]]) -> None:
    """Store the rows of a snapshot of usage, each with its number."""
    db.conn.executemany(
        "INSERT INTO usage_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                usage,
                number,
                row.account_id,
                row.external_id,
                row.serial,
                row.product_code,
                plain(row.quantity),
                row.received,
            )
            for number, row in rows
        ),
    )
