"""What was read, made into a plan; nothing is stored and nothing is sent."""

from collections.abc import Mapping
from datetime import date

from connector.ledger import Ledger
from connector.model import Addition
from connector.planning.change import Plan
from connector.planning.findings import Options
from connector.planning.plan import Inputs, make_plan
from connector.planning.resolve import Placer, TenantFinder, resolve
from connector.runs.reading import Usage

SOURCE = "sophos-api"


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
    mappings = placer.mappings
    known_ids = {tenant.id for tenant in usage.tenants} | mappings.tenants.keys()
    names = {tenant_id: entry.name for tenant_id, entry in mappings.tenants.items() if entry.name}
    names |= {tenant.id: tenant.name for tenant in usage.tenants if tenant.name}
    finder = TenantFinder(known_ids, mappings.firewalls, usage.firewalls)
    return make_plan(
        Inputs(
            period=usage.period,
            source=SOURCE,
            today=today,
            resolved=resolve(usage.rows, finder, placer, names),
            placer=placer,
            additions=additions,
            known=ledger.known_additions(),
            options=options,
            names=names,
            newest_applied=ledger.newest_applied(),
        )
    )
