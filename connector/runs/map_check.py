"""Whether what mappings.yaml names is there: in ConnectWise, and at Sophos."""

from collections.abc import Collection, Iterator

from connector.model import CatalogItem, Mappings
from connector.planning.directory import Directory, Unplaced
from connector.planning.resolve import NEXT_STEPS, UNMAPPED, Off, Placer
from connector.planning.survey import Survey
from connector.reports.checkup import Check

UNRESOLVED = 3


def check_map(survey: Survey, tenants_seen: Collection[str]) -> tuple[Check, ...]:
    """Return everything in the map that one of the vendors does not know; "ok" alone where there is nothing.

    `tenants_seen` are the tenants that Sophos ever listed: one that has left is no mistake.
    """
    mappings, directory = survey.mappings, survey.directory
    found = (
        *missing_names(mappings, directory),
        *_unknown_tenants(survey, tenants_seen),
        *_unknown_firewalls(survey, tenants_seen),
        *_unseen_codes(survey),
        *_inactive_items(survey),
        *(Check("Names", "warning", warning.message) for warning in directory.warnings),
    )
    return found or (Check("Names", "ok", "every name in the map is known to ConnectWise and to Sophos"),)


def _unknown_tenants(survey: Survey, tenants_seen: Collection[str]) -> Iterator[Check]:
    listed = {tenant.id for tenant in survey.tenants}
    used = {state.id for state in survey.tenant_states() if state.quantity}
    for tenant_id in sorted(survey.mappings.tenants.keys() - listed - used):
        where = f"tenants.{survey.mappings.tenants[tenant_id].name or tenant_id}"
        if tenant_id in tenants_seen:
            message = f"{where}: Sophos listed the tenant {tenant_id} before, and does not any more"
            yield Check("Tenants", "warning", message, "Take the entry out once its last month is billed.")
        else:
            message = f"{where}: Sophos knows no tenant {tenant_id}"
            yield Check("Tenants", "fault", message, "Copy the id from: connector tenants", UNRESOLVED)


def _unknown_firewalls(survey: Survey, tenants_seen: Collection[str]) -> Iterator[Check]:
    listed = {firewall.serial for firewall in survey.firewalls} | {row.serial for row in survey.rows}
    # Not by whose the rows are: the entry itself would make a mistyped tenant one that has usage.
    tenants = {tenant.id for tenant in survey.tenants} | survey.mappings.tenants.keys()
    tenants |= {row.account_id for row in survey.rows if row.account_id is not None} | set(tenants_seen)
    for serial, tenant_id in sorted(survey.mappings.firewalls.items()):
        if serial not in listed:
            message = f"firewalls.{serial}: Sophos lists no firewall of this serial number and bills none"
            yield Check("Firewalls", "fault", message, "Copy it from: connector firewalls", UNRESOLVED)
        if tenant_id not in tenants:
            message = f"firewalls.{serial}: Sophos knows no tenant {tenant_id}"
            yield Check("Firewalls", "fault", message, "Copy the id from: connector tenants", UNRESOLVED)


def _inactive_items(survey: Survey) -> Iterator[Check]:
    for code, entry in sorted(survey.mappings.products.items()):
        item = survey.directory.item(entry.item) if entry.on and entry.item is not None else None
        if isinstance(item, CatalogItem) and item.inactive:
            message = (
                f"products.{code}: item {item.identifier} is inactive, so no new addition can be made of it"
            )
            yield Check("Names", "warning", message, "Make it active in ConnectWise, or map another one.")


def _unseen_codes(survey: Survey) -> Iterator[Check]:
    seen = {*survey.called, *(row.product_code for row in survey.rows)}
    for code in sorted(survey.mappings.products.keys() - seen):
        message = f"products.{code}: no usage has had this product code yet"
        yield Check("Products", "warning", message, "Compare it with the codes in: connector products")


def missing_names(mappings: Mappings, directory: Directory) -> Iterator[Check]:
    """Yield a fault for each name that ConnectWise does not know, or not as something that can bill."""
    placer = Placer(mappings, directory)
    for code in sorted(mappings.products):
        entry = mappings.products[code]
        item = directory.item(entry.item) if entry.item is not None and entry.sync else None
        if isinstance(item, Unplaced):
            yield _unplaced(f"products.{code}", item)
    for tenant_id in sorted(mappings.tenants):
        tenant = mappings.tenants[tenant_id]
        told = set()
        codes = sorted({*tenant.products, *mappings.products}) or [""]
        for code in codes:
            placement = placer.place(tenant_id, code)
            shared = isinstance(placement, Unplaced) and placement.code.startswith("ITEM_")
            if isinstance(placement, Off) or not isinstance(placement, Unplaced) or placement in told:
                continue
            if placement.code in UNMAPPED - {"UNMAPPED_TENANT"} or (shared and code not in tenant.products):
                continue
            told.add(placement)
            yield _unplaced(f"tenants.{tenant.name or tenant_id}", placement)


def _unplaced(where: str, why: Unplaced) -> Check:
    remedy = f"In mappings.yaml: {NEXT_STEPS[why.code]}."
    return Check("Names", "fault", f"{where}: {why.message} ({why.code})", remedy, UNRESOLVED)
