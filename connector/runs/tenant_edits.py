"""The edits of mappings.yaml that map a tenant, take its mapping out, and turn it on or off."""

from connector.errors import CommandFault
from connector.mappings.edit import Drop, Edit, Put, Scalar
from connector.model import Agreement, Company, TenantEntry
from connector.planning.customers import UNCHANGED, Customers
from connector.planning.references import Written
from connector.reports.escape import printable


def map_edits(
    tenant_id: str, name: str, entry: TenantEntry | None, company: Written, agreement: Written
) -> list[Edit]:
    """Bill a tenant through an agreement; what else its entry says stays, but it is on from then on.

    A name is written where the entry has none: what people call a tenant there is theirs.
    """
    where = ("tenants", tenant_id)
    called = {} if entry is not None and entry.name else named(name)
    values: dict[str, Scalar] = {"company": company.value, "agreement": agreement.value}
    return [Put(where, called | values), Drop((*where, "sync"))]


def unmap_edits(tenant_id: str) -> list[Edit]:
    """Take company and agreement out of a tenant's entry, which is off from then on; exceptions stay."""
    where = ("tenants", tenant_id)
    return [Put((*where, "sync"), value=False), Drop((*where, "company")), Drop((*where, "agreement"))]


def off_edits(tenant_id: str, name: str, entry: TenantEntry | None) -> list[Edit]:
    """Decide that a tenant is not billed; one without an entry gets one, with its name."""
    said: dict[str, Scalar] = {"sync": False}
    return [Put(("tenants", tenant_id), (named(name) if entry is None else {}) | said)]


def on_edits(tenant_id: str, label: str, entry: TenantEntry | None) -> list[Edit]:
    """Bill a tenant again as its entry says; raises CommandFault where that says too little."""
    lacking = [
        word
        for word, said in (
            ("company", entry.company if entry is not None else None),
            ("agreement", entry.agreement if entry is not None else None),
        )
        if said is None
    ]
    if lacking:
        raise CommandFault(
            f"{label} cannot be turned on: mappings.yaml names no {' and no '.join(lacking)} for it. "
            f"{UNCHANGED}",
            f"Map it: connector tenants map {tenant_id}",
        )
    return [Drop(("tenants", tenant_id, "sync"))]


def written(
    customers: Customers, company: Company, agreement: Agreement
) -> tuple[Written, Written, list[str]]:
    """Return how the map names both, and notes that say why one of them by its id."""
    names = customers.written_company(company), customers.written_agreement(company, agreement)
    notes = [
        f"{kind}: {said.why}" for kind, said in zip(("Company", "Agreement"), names, strict=True) if said.why
    ]
    return *names, notes


def named(name: str) -> dict[str, Scalar]:
    """Return Sophos's name for an entry, harmless in an editor; nothing where there is none."""
    shown = printable(" ".join(name.split()))
    return {"name": shown} if shown else {}
