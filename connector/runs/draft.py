"""What was read, made into a plan; nothing is stored and nothing is sent."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from connector.ledger import Ledger
from connector.ledger.approvals import approved_writes
from connector.ledger.billed import applied_sources
from connector.model import Addition, Mappings
from connector.planning.change import Plan
from connector.planning.findings import Options
from connector.planning.plan import Inputs, make_plan
from connector.planning.pricing import Worths, uses_prices
from connector.planning.resolve import Placer, resolve
from connector.planning.tenant_finder import TenantFinder
from connector.runs.reading import Usage


def draft(
    usage: Usage,
    placer: Placer,
    additions: Mapping[int, tuple[Addition, ...]],
    ledger: Ledger,
    *,
    options: Options,
    today: date,
) -> Plan:
    """Return the plan of a month; the placer holds the map and ConnectWise's records."""
    with no_cycles():
        return make_plan(inputs_of(usage, placer, additions, ledger, options=options, today=today))


@contextmanager
def no_cycles() -> Iterator[None]:
    """Do work that makes many values and no cycles: nothing there is to be found by looking through them.

    The collector would look again and again, which takes half of the time that planning a large month does.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()  # and back: all of it counts as old, where it would be looked through at once
            gc.unfreeze()
            gc.enable()


def inputs_of(
    usage: Usage,
    placer: Placer,
    additions: Mapping[int, tuple[Addition, ...]],
    ledger: Ledger,
    *,
    options: Options,
    today: date,
) -> Inputs:
    """Return all that a plan of a month is made from."""
    mappings = placer.mappings
    names = names_of(usage, mappings)
    worth = Worths()
    priced = worth.add if uses_prices(mappings) else None
    resolved = resolve(usage.rows, finder_of(usage, mappings), placer, names, also=priced)
    failed = usage.failed
    if failed:  # they are rows of the month as well, and nobody knows whose
        resolved = replace(
            resolved, rows=resolved.rows + len(failed), unresolved=(*resolved.unresolved, *failed)
        )
    applied = applied_sources(ledger, usage.period)
    return Inputs(
        period=usage.period,
        source=usage.source,
        today=today,
        resolved=resolved,
        placer=placer,
        additions=additions,
        known=ledger.known_additions(),
        options=options,
        names=names,
        newest_applied=ledger.newest_applied(),
        applied_source=applied[0] if applied else None,
        restated=usage.restated,
        uncounted=usage.uncounted,
        approved=approved_writes(ledger) if options.unattended else frozenset(),
        worth=worth.by_pair(),
    )


def names_of(usage: Usage, mappings: Mappings) -> dict[str, str]:
    """Return what people call each tenant, by id."""
    names = {tenant_id: entry.name for tenant_id, entry in mappings.tenants.items() if entry.name}
    return names | {tenant.id: tenant.name for tenant in usage.tenants if tenant.name}


def finder_of(usage: Usage, mappings: Mappings) -> TenantFinder:
    """Return what finds whose a row of this month is."""
    known_ids = {tenant.id for tenant in usage.tenants} | mappings.tenants.keys()
    return TenantFinder(known_ids, mappings.firewalls, usage.firewalls)
