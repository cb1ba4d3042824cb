"""Counts today's licences tenant by tenant; a count that is stored is not asked for again that day."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial

from connector.ledger import Ledger
from connector.ledger.history import CodeSeen, codes_seen, device_codes
from connector.ledger.live import Counts, counted_on, record_count
from connector.model import Firewall, Period, Tenant, UsageRow
from connector.planning.change import plain
from connector.planning.sources import LIVE
from connector.planning.uncounted import Uncounted
from connector.runs.reading import READERS, Sophos, Usage
from connector.runs.story import Story
from connector.vendors.hands import answers

MONTHLY = "usage"
DEVICE = "device"
"""Sophos's product group of firewalls."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """What came of asking for every tenant; those of `refused` may not be seen."""

    counts: Mapping[str, Counts]
    refused: frozenset[str]


def count_tenants(sophos: Sophos, ledger: Ledger, today: date, story: Story) -> Usage:
    """Return this month as Sophos counts it today, one row for each tenant and product."""
    story.stage("Reading Sophos")
    tenants, firewalls = sophos.tenants(), sophos.firewalls()
    seen = codes_seen(ledger)
    devices = _device_codes(firewalls, seen.values()) | device_codes(ledger)
    counted = _counted(
        sophos, ledger, today, story, [each for each in tenants if each.billing_type == MONTHLY]
    )
    rows, without = _rows(counted.counts, devices, seen)
    return Usage(
        Period.of(today),
        tuple(rows),
        tenants,
        firewalls,
        source=LIVE,
        uncounted=Uncounted(counted.refused, without, devices, firewalls=bool(firewalls)),
    )


def _counted(
    sophos: Sophos, ledger: Ledger, today: date, story: Story, tenants: Collection[Tenant]
) -> _Counted:
    """Ask for each tenant that was not counted today, a few at a time, and store each answer as it comes."""
    story.stage("Counting licences")
    counts = counted_on(ledger, today)
    listed = {each.id for each in tenants}
    counts = {tenant_id: each for tenant_id, each in counts.items() if tenant_id in listed}
    before = len(counts)
    refused = set()
    story.progress(before, len(listed))
    asking = {each: partial(sophos.licence_counts, each) for each in sorted(listed - counts.keys())}
    for done, (tenant_id, answer) in enumerate(answers(READERS, asking), before + 1):
        if answer is None:
            refused.add(tenant_id)
            record_count(ledger, today, tenant_id, None)
        else:
            counts[tenant_id] = tuple((each.product_code, each.name, each.count) for each in answer)
            record_count(ledger, today, tenant_id, counts[tenant_id])
        story.progress(done, len(listed))
    return _Counted(counts, frozenset(refused))


def _device_codes(firewalls: Iterable[Firewall], seen: Iterable[CodeSeen]) -> frozenset[str]:
    """Return the product codes that firewalls are billed by, which live counts of tenants do not have."""
    licences = {licence.product_code for each in firewalls for licence in each.licences}
    return frozenset({*licences, *(each.code for each in seen if each.group.casefold() == DEVICE)} - {""})


def _rows(
    counts: Mapping[str, Counts], devices: Collection[str], seen: Mapping[str, CodeSeen]
) -> tuple[list[UsageRow], frozenset[tuple[str, str]]]:
    """Return a row for each tenant and product, and the pairs of which one licence has no count."""
    rows = []
    without = set()
    for tenant_id, listed in sorted(counts.items()):
        sums: dict[str, Decimal] = {}
        names: dict[str, str] = {}
        for code, name, count in _of_people(listed, devices):
            if count is None:
                without.add((tenant_id, code))
                continue
            sums[code] = sums.get(code, Decimal(0)) + count
            names.setdefault(code, name)
        for code, quantity in sorted(sums.items()):
            if (tenant_id, code) not in without:
                rows.append(_row(tenant_id, code, quantity, names[code], seen.get(code)))
    return rows, frozenset(without)


def _of_people(listed: Counts, devices: Collection[str]) -> Iterator[tuple[str, str, Decimal | None]]:
    return (licence for licence in listed if licence[0] not in devices)


def _row(tenant_id: str, code: str, quantity: Decimal, name: str, seen: CodeSeen | None) -> UsageRow:
    group = seen.group if seen is not None else ""
    received = {
        "accountId": tenant_id,
        "billableQuantity": plain(quantity),
        "productCode": code,
        "productDescription": name,
        "productGroup": group,
    }
    return UsageRow(
        product_code=code,
        quantity=quantity,
        account_id=tenant_id,
        description=name,
        group=group,
        received=json.dumps(received, separators=(",", ":"), sort_keys=True),
    )
