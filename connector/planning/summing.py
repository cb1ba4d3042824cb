"""Adds a month's rows up, in one pass: each tenant's rows of a code, and those that nobody is known for."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from connector.model import UsageLine, UsageLines, UsageRow
from connector.planning.findings import Part
from connector.planning.tenant_finder import TenantFinder

ZERO = Decimal(0)
NO_DEVICES = frozenset({"user", "server"})
"""Product groups whose `accountNumberOrSerialNumber` is an account number, the same on every row."""

Pair = tuple[str, str]
"""A tenant's id and a product code."""


class Sum:
    """Rows of one tenant and product, or of one unplaced serial, added up.

    `serial` is the first serial number, and `more` all of them where there are several: nearly always it is
    one. `device` says whether any row is of a device; only sums that are told of know that.
    """

    __slots__ = ("device", "more", "quantity", "rows", "serial")

    def __init__(self) -> None:
        self.quantity = ZERO
        self.rows = 0
        self.serial: str | None = None
        self.more: set[str] | None = None
        self.device = False

    def on(self, serial: str) -> None:
        """Note a serial number that is not the first one."""
        if self.serial is None:
            self.serial = serial
        elif self.more is None:
            self.more = {self.serial, serial}
        else:
            self.more.add(serial)

    @property
    def serials(self) -> tuple[str, ...]:
        """Every serial number, in order."""
        if self.more is not None:
            return tuple(sorted(self.more))
        return (self.serial,) if self.serial is not None else ()


def summed(
    rows: Iterable[UsageRow],
    finder: TenantFinder,
    *,
    is_told: Callable[[Pair], bool] = lambda _: False,
    also: Callable[[str, UsageRow], None] | None = None,
) -> tuple[dict[Pair, Sum], dict[tuple[str | None, str], Sum]]:
    """Add up the rows of each tenant and code, and those of each serial that no tenant is known for.

    `is_told` says of which pairs people are told; `also` hears each row that has a tenant.
    """
    sums: dict[Pair, Sum] = {}
    orphans: dict[tuple[str | None, str], Sum] = defaultdict(Sum)
    known, whose = sums.get, finder.without_account
    for account_id, external_id, serial, code, quantity, count in _lines(rows, finder, also):
        tenant_id = account_id if account_id is not None else whose(external_id, serial)
        if tenant_id is None:
            total = orphans[serial, code]
        else:
            pair = (tenant_id, code)
            found = known(pair)
            if found is None:
                found = sums[pair] = Sum()
            total = found
            if serial is not None and serial != total.serial:
                total.on(serial)
        total.quantity += quantity
        total.rows += count
    told = {pair: total for pair, total in sums.items() if total.serial is not None and is_told(pair)}
    if told:
        _look_for_devices(rows, finder, told)
    return sums, orphans


def usage_parts(rows: Iterable[UsageRow], finder: TenantFinder) -> tuple[Part, ...]:
    """Return every tenant's usage of each code, mapped or not; rows that nobody can place are left out."""
    sums, _ = summed(rows, finder)
    return tuple(Part(*pair, total.quantity, total.serials) for pair, total in sorted(sums.items()))


def _lines(
    rows: Iterable[UsageRow], finder: TenantFinder, also: Callable[[str, UsageRow], None] | None
) -> Iterable[UsageLine]:
    """Return of the rows what sums need; stored rows have that by themselves, and quicker."""
    if also is not None:
        return _heard(rows, finder, also)
    return rows.lines() if isinstance(rows, UsageLines) else map(_line, rows)


def _heard(
    rows: Iterable[UsageRow], finder: TenantFinder, also: Callable[[str, UsageRow], None]
) -> Iterator[UsageLine]:
    for row in rows:
        tenant_id = finder.tenant_of(row)
        if tenant_id is not None:
            also(tenant_id, row)
        yield _line(row)


def _line(row: UsageRow) -> UsageLine:
    return row.account_id, row.external_id, row.serial, row.product_code, row.quantity, 1


def _look_for_devices(rows: Iterable[UsageRow], finder: TenantFinder, told: Mapping[Pair, Sum]) -> None:
    """Find out which of these sums are of devices: what a row is of, only the row itself says."""
    for row in rows:
        if row.serial is None:
            continue
        total = told.get((finder.tenant_of(row) or "", row.product_code))
        if total is not None and not total.device:
            total.device = row.group.casefold() not in NO_DEVICES
