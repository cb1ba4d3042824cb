"""How large the ledger of a big MSP grows, and what pruning takes of it: python -m bench.state_size [--json].

Two years of months and nights go through the real plan and the real ledger; only the vendors are made up, and
nothing waits for the disk. In a month a tenth of the lines moves, two rows are restated, the map is edited.
"""

import argparse
import calendar
import json
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

from connector.ledger import Ledger
from connector.ledger.arrival import take_in
from connector.ledger.care import check_file
from connector.ledger.health import record_night
from connector.ledger.prunable import find_prunable
from connector.ledger.prune import file_size, give_back, prune
from connector.model import (
    Addition,
    Agreement,
    CatalogItem,
    Company,
    Mappings,
    Period,
    ProductEntry,
    Tenant,
    TenantEntry,
    UsageRow,
)
from connector.planning.directory import Directory
from connector.planning.findings import Options
from connector.planning.resolve import Placer
from connector.planning.schedule import next_month
from connector.planning.sources import API
from connector.reports.document import json_text, plan_document
from connector.reports.run_lines import plan_lines
from connector.runs.draft import draft
from connector.runs.journal import Journal
from connector.runs.reading import Usage
from connector.runs.story import Silence

FIRST = Period(2026, 1)
SEED = 20261001
MOVES = 10
"""One line in so many moves each month."""
KEPT = 13


@dataclass
class Msp:
    """An MSP whose customers all use the same products, and what ConnectWise has of it."""

    tenants: int
    products: int
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311  repeatable data
    quantities: dict[tuple[int, int], int] = field(default_factory=dict)
    additions: dict[int, dict[int, Addition]] = field(default_factory=dict)
    made: int = 0

    @staticmethod
    def tenant_id(number: int) -> str:
        """Return the id of a made-up tenant."""
        return f"{number:08}-0000-4000-8000-000000000000"

    def mappings(self) -> Mappings:
        """Return the map of all."""
        return Mappings(
            products={
                f"CODE{each}-MSP": ProductEntry(f"Product {each}", each + 1) for each in range(self.products)
            },
            tenants={
                self.tenant_id(each): TenantEntry(f"Customer {each}", each + 1, each + 1)
                for each in range(self.tenants)
            },
        )

    def map_text(self, edit: int) -> str:
        """Return mappings.yaml as it is after so many edits, of the size that people's maps have."""
        lines = [f"version: 1   # edited {edit} times", "tenants:"]
        for each in range(self.tenants):
            lines += [
                f"  {self.tenant_id(each)}:",
                f"    name: Customer {each}",
                f"    company: Customer{each}",
                "    agreement: Managed Security",
            ]
        return "\n".join(lines)

    def placer(self, today: date) -> Placer:
        """Return the map beside ConnectWise's records."""
        numbers = range(1, self.tenants + 1)
        directory = Directory(
            companies=[Company(each, f"Customer{each - 1}") for each in numbers],
            agreements=[Agreement(each, "Managed Security", each, f"Customer{each - 1}") for each in numbers],
            items=[CatalogItem(each + 1, f"ITEM-{each}", f"Product {each}") for each in range(self.products)],
            remembered={},
            today=today,
        )
        return Placer(self.mappings(), directory)

    def rows(self, period: Period, *, restated: int = 0) -> Iterator[UsageRow]:
        """Yield a month as Sophos sends it; a restated one has other figures in its first row."""
        for tenant in range(self.tenants):
            for product in range(self.products):
                quantity = self.quantities[tenant, product]
                if tenant == product == 0:
                    quantity += restated
                yield row(self.tenant_id(tenant), product, quantity, period, len(self.quantities))

    def move(self) -> None:
        """Let a tenth of the customers' quantities move."""
        for tenant in range(self.tenants):
            for product in range(self.products):
                pair = tenant, product
                if pair not in self.quantities or not self.chance.randrange(MOVES):
                    self.quantities[pair] = self.chance.randint(1, 120)


def row(tenant: str, product: int, quantity: int, period: Period, number: int) -> UsageRow:
    """Return a row with all that Sophos says in one (reference/sophos-api.md)."""
    code, money = f"CODE{product}-MSP", f"{quantity * Decimal('1.40')}"
    said = {
        "accountId": tenant,
        "accountNumberOrSerialNumber": f"{8004410000 + number}",
        "accountStatus": "active",
        "actualQuantity": quantity,
        "additionalDiscountPercentage": 30,
        "assignedAccountIdentifier": f"Customer {tenant[:8]} Limited",
        "billableQuantity": quantity,
        "billingEndDate": f"{period}-28",
        "billingStartDate": f"{period}-01",
        "distributorAccountName": "Example Distribution Inc.",
        "externalId": f"f728b4fa-4248-4e3a-8a5d-{tenant[:8]}0000",
        "netPrice": money,
        "netPriceCurrency": "USD",
        "orderLineItemNumber": f"OrderLine-{period}-{number:06}",
        "orderNumber": f"OrderID-{period}",
        "orderedQuantity": quantity,
        "partnerAccountId": "84aa3535-19f6-450b-a5f8-47a8b0285789",
        "partnerAccountName": "Example MSP Ltd",
        "partnerEdiAccountNumber": "1009900",
        "priceWithTaxes": money,
        "priceWithTaxesCurrency": "USD",
        "productCode": code,
        "productDescription": f"{code} MSP Monthly - 1-24 USERS",
        "productGroup": "User",
        "sku": f"DEMO-{code}",
        "unitMsrp": "2.00",
        "unitMsrpCurrency": "USD",
        "unitPrice": "1.40",
        "unitPriceCurrency": "USD",
    }
    return UsageRow(
        code,
        Decimal(quantity),
        tenant,
        external_id=str(said["externalId"]),
        serial=str(said["accountNumberOrSerialNumber"]),
        description=str(said["productDescription"]),
        group="User",
        received=json.dumps(said, separators=(",", ":"), sort_keys=True),
    )


def bill(msp: Msp, ledger: Ledger, period: Period, day: date, edit: int) -> None:
    """Bill a month as the nightly job does, every answer of ConnectWise being the right one."""
    usage = Usage(
        period,
        tuple(msp.rows(period)),
        tuple(Tenant(msp.tenant_id(each), f"Customer {each}", "usage") for each in range(msp.tenants)),
        (),
    )
    run = begun(ledger, "nightly", day)
    journal = Journal(ledger, run, Silence(), lambda: at_night(day))
    journal.begin("nightly", "bench@here")
    ledger.record_map(run, msp.map_text(edit))
    take_in(ledger, run, period, API, tuple(usage.rows))
    ledger.record_seen(usage.tenants, usage.firewalls)
    placer = msp.placer(day)
    lines = {each: tuple(known.values()) for each, known in msp.additions.items()}
    lines |= {each: () for each in range(1, msp.tenants + 1) if each not in lines}
    plan = draft(usage, placer, lines, ledger, options=Options(), today=day)
    ledger.record_agreements(placer.directory.agreements.values())
    ledger.store_plan(run, plan, json_text(plan_document(plan)))
    for line in plan_lines(plan, {}):
        journal.said(line)
    ids = ledger.begin_applying(run, plan.digest, plan.changes)
    ledger.record_feeds(run, plan.unchanged)
    for change_id, change in zip(ids, plan.changes, strict=True):
        ledger.record_sending(change_id, ())
        msp.made += change.addition_id is None
        number = change.addition_id or 9000 + msp.made
        made = Addition(number, *change.key, change.after, serial_number=change.mark)
        msp.additions.setdefault(change.key.agreement_id, {})[number] = made
        ledger.record_done(change_id, run, made)
    journal.close()
    ledger.finish_run(run, 0)


def look_again(msp: Msp, ledger: Ledger, period: Period, day: date, *, restated: int) -> None:
    """Read a billed month once more, as the nightly job does; one in which nothing moved is stored once."""
    run = begun(ledger, "look-again", day)
    take_in(ledger, run, period, API, tuple(msp.rows(period, restated=restated)))
    quiet(ledger, run, day)


def quiet(ledger: Ledger, run: int, day: date) -> None:
    """Write down what a run leaves that found nothing to do."""
    journal = Journal(ledger, run, Silence(), lambda: at_night(day))
    journal.begin("look-again", "bench@here")
    for stage in ("Reading Sophos", "Reading ConnectWise", "Reading additions"):
        journal.stage(stage)
    journal.close()
    ledger.finish_run(run, 0)


def begun(ledger: Ledger, kind: str, day: date) -> int:
    """Begin a run."""
    return ledger.begin_run(kind, Options(unattended=True), who="bench@here", version="1", today=day)


def at_night(day: date) -> datetime:
    """Return a moment of a night."""
    return datetime(day.year, day.month, day.day, 3, 15, tzinfo=UTC)


def live(msp: Msp, folder: Path, months: int) -> Iterator[tuple[Period, int, int]]:
    """Let months pass; yield each with what its billing and what its 28 quiet nights added, in bytes."""
    period, day = FIRST, date(FIRST.year, FIRST.month, 1)
    with Ledger(folder, now=lambda: at_night(day)) as ledger:
        ledger._db.execute("PRAGMA synchronous = OFF")  # noqa: SLF001  the disk is not measured here
        for number in range(months):
            day = date(period.year, period.month, min(28, calendar.monthrange(period.year, period.month)[1]))
            before = content(folder)
            msp.move()
            bill(msp, ledger, period, day, number)
            for restated in (1, 2):
                look_again(msp, ledger, period, day, restated=restated)
            billed = content(folder)
            for night in range(1, 29):
                for _ in range(2):
                    quiet(ledger, begun(ledger, "look-again", day), day)
                record_night(ledger, date(period.year, period.month, night), 0)
            yield period, billed - before, content(folder) - billed
            period = next_month(period)


def content(folder: Path) -> int:
    """Return how many bytes of the file are in use."""
    with closing(sqlite3.connect(folder / "connector.db")) as db:
        count, free, size = (
            db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    return int((count - free) * size)


def by_table(folder: Path) -> dict[str, int]:
    """Return how many bytes each table takes with its indexes, the largest first."""
    with closing(sqlite3.connect(folder / "connector.db")) as db:
        try:
            found = db.execute(
                "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) GROUP BY 1"
            ).fetchall()
        except sqlite3.OperationalError:  # a SQLite without dbstat: by the lengths of what is in it
            found = [(name, lengths(db, name)) for (name,) in tables(db)]
    return {str(name): int(size) for name, size in sorted(found, key=lambda each: -each[1])}


def tables(db: sqlite3.Connection) -> list[tuple[str]]:
    """Return the names of all tables."""
    return db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()


def lengths(db: sqlite3.Connection, table: str) -> int:
    """Return the sum of the lengths of all that a table holds."""
    columns = [each[1] for each in db.execute(f"PRAGMA table_info({table})")]
    added = " + ".join(f"coalesce(length({each}), 0)" for each in columns)
    return int(db.execute(f"SELECT coalesce(sum({added}), 0) FROM {table}").fetchone()[0])  # noqa: S608


def measured(tenants: int, products: int, months: int) -> dict[str, Any]:
    """Return all figures of a state folder that lives so many months, and then as many again."""
    found: dict[str, Any] = {"tenants": tenants, "products": products, "months": months}
    with tempfile.TemporaryDirectory() as name:
        folder, msp = Path(name), Msp(tenants, products)
        began = perf_counter()
        passing = live(msp, folder, 2 * months)
        first = [next(passing) for _ in range(months)]
        found["year"] = {"bytes": content(folder), "tables": by_table(folder)}
        found["first_month"] = first[0][1]
        found["month"] = sum(each[1] for each in first[1:]) // max(1, months - 1)
        found["quiet_night"] = sum(each[2] for each in first) // (28 * months)
        *_, (last, _, _) = passing
        found["two_years"] = {"bytes": content(folder), "tables": by_table(folder)}
        found["lived_seconds"] = round(perf_counter() - began, 1)
        began = perf_counter()
        with Ledger(folder) as ledger:
            what = find_prunable(ledger, KEPT, last)
            prune(ledger, what)
        given = give_back(folder, file_size(folder))
        found["pruned"] = {
            "keep": KEPT,
            "rows_removed": what.rows,
            "bytes": given.after,
            "tables": by_table(folder),
            "seconds": round(perf_counter() - began, 1),
            "sound": not check_file(folder),
        }
    return found


def table(found: dict[str, Any]) -> str:
    """Return the figures for people, in millions of bytes."""
    many = f"{found['tenants']} tenants with {found['products']} products each"
    months = f"first month {mb(found['first_month'])} MB, any other {mb(found['month'])} MB"
    lines = [
        f"{many}: {found['months']} months, then as many again",
        f"{months}, a quiet night {found['quiet_night']} bytes",
        "",
        f"{'MB':<16}{'a year':>12}{'two years':>12}{f'prune --keep {KEPT}':>20}",
    ]
    states = [found[name] for name in ("year", "two_years", "pruned")]
    rows = [("connector.db", [state["bytes"] for state in states])]
    rows += [
        (name, [state["tables"].get(name, 0) for state in states])
        for name, size in states[1]["tables"].items()
        if size > 100_000
    ]
    for name, (year, two, pruned) in rows:
        lines.append(f"{name:<16}{mb(year):>12}{mb(two):>12}{mb(pruned):>20}")
    removed = found["pruned"]
    lines += ["", f"pruning removed {removed['rows_removed']} rows in {removed['seconds']} s"]
    return "\n".join(lines)


def mb(size: int) -> str:
    """Write a size in millions of bytes."""
    return f"{size / 1_000_000:.1f}"


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=5000)
    parser.add_argument("--products", type=int, default=8)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measured(asked.tenants, asked.products, asked.months)
    print(json.dumps(found, indent=2) if asked.json else table(found))  # noqa: T201


if __name__ == "__main__":
    main()
