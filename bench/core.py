"""The pure core alone, from stored rows to the plan: python -m bench.core [--lines 1000000] [--json].

A ledger with that many usage lines is built first; a fresh process then reads the rows back, adds them up,
and plans against additions that ConnectWise would show.

A tenant has 50 lines over 8 of 50 products (--products for more), as the largest worlds of this folder
have: a million lines are 20,000 tenants and 160,000 keys, and all of those tenants' additions are in
memory as well. It is no easy case: the lines are in no order, so that no two of a sum stand together; one
in ten is a firewall that only its own serial number places, one in ten is placed by its external id; every
tenth key has changed, and every second tenant uses a product no more. Every row has all that Sophos says
of one.
"""

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from connector.ledger import Ledger
from connector.ledger.arrival import Arrival
from connector.ledger.stored_rows import stored_rows
from connector.model import (
    Addition,
    Agreement,
    CatalogItem,
    Company,
    Firewall,
    Key,
    Mappings,
    Period,
    ProductEntry,
    Tenant,
    TenantEntry,
    UsageRow,
)
from connector.planning.change import mark_of
from connector.planning.directory import Directory
from connector.planning.findings import Options
from connector.planning.resolve import Placer
from connector.planning.sources import API
from connector.runs.draft import draft
from connector.runs.reading import Usage

LINES = 1_000_000
LINES_OF_A_TENANT = 50
PRODUCTS = 50
PRODUCTS_OF_A_TENANT = 8
PAGE = 1000
SEED = 20261101
PERIOD = Period(2026, 10)
TODAY = date(2026, 10, 28)
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One usage line before it is written: which tenant uses how many of which product, placed by what."""

    tenant: int
    product: int
    quantity: int
    placed_by: str
    serial: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What one measurement found; memory is None where the system does not tell."""

    lines: int
    tenants: int
    keys: int
    changes: int
    digest: str
    wall_seconds: float
    cpu_seconds: float
    peak_mib: float | None
    before_mib: float | None
    sqlite: str


# The month ---------------------------------------------------------------------------------------


def tenant_id(number: int) -> str:
    """Return the id of a made-up tenant."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def code(number: int) -> str:
    """Return a made-up product code."""
    return f"SKU{number:02}-MSP"


def lines_of(tenant: int, products: int) -> list[Line]:
    """Return the usage of one tenant, the same on every call."""
    chance = random.Random(SEED * 1_000_003 + tenant)  # noqa: S311
    used = chance.sample(range(PRODUCTS), products)
    found = []
    for number in range(LINES_OF_A_TENANT):
        product = used[number % len(used)]
        placed_by = "serial" if product % 10 == 9 else "external" if product % 10 == 8 else "account"
        serial = f"X{tenant:06}{number:02}" if placed_by == "serial" else f"{tenant:08}"
        found.append(Line(tenant, product, chance.randint(1, 400), placed_by, serial))
    return found


def row_of(line: Line, number: int) -> UsageRow:
    """Return a line as Sophos's answer is kept."""
    tenant, product = tenant_id(line.tenant), code(line.product)
    device = line.placed_by == "serial"
    received = {
        "accountNumberOrSerialNumber": line.serial,
        "accountStatus": "active",
        "actualQuantity": line.quantity,
        "additionalDiscountPercentage": "0",
        "billableQuantity": line.quantity,
        "billingEndDate": "2026-10-31",
        "billingStartDate": "2026-10-01",
        "netPrice": f"{line.quantity * 3}.50",
        "netPriceCurrency": "USD",
        "orderLineItemNumber": f"{number % 100}",
        "orderNumber": f"0300{number:08}",
        "orderedQuantity": 0,
        "partnerAccountName": "Northern Lights Managed Services",
        "productCode": product,
        "productDescription": f"Sophos Product {line.product:02} - 100-199 USERS - MSP Monthly",
        "productGroup": "Device" if device else "User",
        "sku": product,
        "unitMsrp": "5.00",
        "unitMsrpCurrency": "USD",
        "unitPrice": "3.50",
        "unitPriceCurrency": "USD",
    }
    return UsageRow(
        product_code=product,
        quantity=Decimal(line.quantity),
        account_id=tenant if line.placed_by == "account" else None,
        external_id=tenant if line.placed_by == "external" else None,
        serial=line.serial,
        description=str(received["productDescription"]),
        group=str(received["productGroup"]),
        received=json.dumps(received, separators=(",", ":"), sort_keys=True),
    )


def pages(lines: int, products: int) -> Iterator[list[UsageRow]]:
    """Yield the month in pages, its lines in no order."""
    order = list(range(lines))
    random.Random(SEED).shuffle(order)  # noqa: S311
    of_tenant: dict[int, list[Line]] = {}
    for first in range(0, lines, PAGE):
        page = []
        for at in order[first : first + PAGE]:
            tenant, number = divmod(at, LINES_OF_A_TENANT)
            if tenant not in of_tenant:
                of_tenant[tenant] = lines_of(tenant, products)
            page.append(row_of(of_tenant[tenant][number], at))
        yield page


def build(folder: Path, lines: int, products: int) -> None:
    """Store the month, and what an earlier run billed of it."""
    tenants = lines // LINES_OF_A_TENANT
    with Ledger(folder) as ledger:
        run = ledger.begin_run("sync", Options(), who="bench", version="0")
        arrival = Arrival(ledger, run, PERIOD, API)
        for page in pages(lines, products):
            arrival.take(page)
        arrival.whole()
        with ledger.transaction() as db:
            db.conn.executemany(
                "INSERT INTO additions VALUES (?, ?, ?, ?, ?, NULL, 0, ?)", _billed(tenants, products, run)
            )
        ledger.finish_run(run, 0)


def _billed(tenants: int, products: int, run: int) -> Iterator[tuple[object, ...]]:
    """Yield the additions as the ledger knows them, with their lineage; see the top for how they differ."""
    number = 0
    for tenant in range(tenants):
        units: dict[int, int] = {}
        serials: dict[int, set[str]] = {}
        for line in lines_of(tenant, products):
            units[line.product] = units.get(line.product, 0) + line.quantity
            serials.setdefault(line.product, set()).add(line.serial)
        for product in [at for at in range(PRODUCTS) if at not in units][: tenant % 2]:
            units[product], serials[product] = 5, set()
        for product in sorted(units):
            number += 1
            billed = f"{units[product] + (product + tenant) % 10 // 9}"
            parts = json.dumps([[tenant_id(tenant), code(product), billed, sorted(serials[product])]])
            yield number, tenant + 1, product + 1, billed, parts, run


# The measurement ---------------------------------------------------------------------------------


def mappings_of(tenants: int) -> Mappings:
    """Return a map of every tenant and product."""
    return Mappings(
        products={code(at): ProductEntry(code(at), item=f"ITEM-{at:02}") for at in range(PRODUCTS)},
        tenants={
            tenant_id(at): TenantEntry(f"Customer {at}", f"Customer{at}", "Managed Security")
            for at in range(tenants)
        },
    )


def directory_of(tenants: int) -> Directory:
    """Return ConnectWise's records."""
    return Directory(
        companies=[Company(at + 1, f"Customer{at}") for at in range(tenants)],
        agreements=[
            Agreement(at + 1, "Managed Security", at + 1, f"Customer{at}", currency="USD")
            for at in range(tenants)
        ],
        items=[
            CatalogItem(at + 1, f"ITEM-{at:02}", product_class="Agreement", price=Decimal(5))
            for at in range(PRODUCTS)
        ],
        remembered={},
        today=TODAY,
    )


def shown_by_connectwise(ledger: Ledger) -> dict[int, tuple[Addition, ...]]:
    """Return the additions as ConnectWise would show them."""
    found: dict[int, list[Addition]] = {}
    stored = "SELECT id, agreement_id, item_id, quantity FROM additions ORDER BY id"
    for addition_id, agreement_id, item_id, quantity in ledger.tuples(stored):
        line = Addition(
            addition_id,
            agreement_id,
            item_id,
            Decimal(quantity),
            effective=date(2026, 9, 1),
            serial_number=mark_of(Key(agreement_id, item_id)),
            unit_price=Decimal(5),
            unit_cost=Decimal("3.5"),
        )
        found.setdefault(agreement_id, []).append(line)
    return {agreement_id: tuple(lines) for agreement_id, lines in found.items()}


def measure(folder: Path) -> Figures:
    """Plan from the stored rows, and say what that took; what both vendors told is there already."""
    with Ledger(folder) as ledger:
        ((usage, lines),) = ledger.tuples("SELECT id, rows FROM usage")
        tenants = lines // LINES_OF_A_TENANT
        placer = Placer(mappings_of(tenants), directory_of(tenants))
        additions = shown_by_connectwise(ledger)
        listed = tuple(Tenant(tenant_id(at), f"Customer {at}") for at in range(tenants))
        firewalls = ledger.tuples("SELECT serial FROM usage_rows WHERE usage = ? AND serial > 'X'", usage)
        placed = tuple(
            Firewall(serial, billing_tenant_id=tenant_id(int(serial[1:7]))) for (serial,) in firewalls
        )
        del firewalls
        before = _peak_mib()
        began, worked = time.perf_counter(), time.process_time()
        month = Usage(PERIOD, stored_rows(ledger, usage), listed, placed)
        plan = draft(month, placer, additions, ledger, options=Options(), today=TODAY)
        digest = plan.digest
        wall, cpu = time.perf_counter() - began, time.process_time() - worked
    return Figures(
        lines=plan.coverage.rows,
        tenants=tenants,
        keys=plan.managed,
        changes=len(plan.changes),
        digest=digest,
        wall_seconds=round(wall, 2),
        cpu_seconds=round(cpu, 2),
        peak_mib=_peak_mib(),
        before_mib=before,
        sqlite=sqlite3.sqlite_version,
    )


def _peak_mib() -> float | None:
    """Return the most memory that this process has held; None where the system does not say."""
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (MEBIBYTE if sys.platform == "darwin" else 1024), 1)


def measured(folder: Path) -> Figures:
    """Measure in a fresh process, which holds nothing of what was built."""
    command = [sys.executable, "-m", "bench.core", "--measure", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)  # noqa: S603
    return Figures(**json.loads(done.stdout))


def table(found: Figures) -> str:
    """Return the figures for people."""

    def memory(mib: float | None) -> str:
        return "not measured" if mib is None else f"{mib:.0f} MiB"

    lines = {
        "usage lines": f"{found.lines:,}",
        "tenants": f"{found.tenants:,}",
        "keys": f"{found.keys:,}",
        "changes": f"{found.changes:,}",
        "plan": found.digest,
        "wall": f"{found.wall_seconds:.2f} s",
        "processor": f"{found.cpu_seconds:.2f} s",
        "memory, most": memory(found.peak_mib),
        "memory, before it began": memory(found.before_mib),
    }
    return "\n".join(f"{name:<26}{said:>16}" for name, said in lines.items())


def main() -> int:
    """Build, measure, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.core", description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES, help="usage lines, a multiple of 50")
    parser.add_argument(
        "--products", type=int, default=PRODUCTS_OF_A_TENANT, help="of each tenant, 50 at most"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--measure", type=Path, metavar="FOLDER", help="measure a ledger that is built")
    parser.add_argument("--build", type=Path, metavar="FOLDER", help="build a ledger there and keep it")
    asked = parser.parse_args()
    if asked.measure is not None:
        print(json.dumps(asdict(measure(asked.measure))))  # noqa: T201
        return 0
    if asked.build is not None:
        build(asked.build, asked.lines, asked.products)
        return 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        build(Path(folder), asked.lines, asked.products)
        found = measured(Path(folder))
    document = {"schema": "connector.bench.core/1", "python": sys.version.split()[0], **asdict(found)}
    print(json.dumps(document, indent=1) if asked.json else table(found))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
