"""What happens to additions of ours that a tenant has fed, when the map no longer sends it there."""

from collections.abc import Iterable

from connector.model import Absent, Key
from connector.planning.change import KnownAddition, plain
from connector.planning.directory import Directory
from connector.planning.resolve import Placer

_NEXT_RUN: dict[Absent, str] = {
    "zero": "sets it to 0",
    "end": "ends it",
    "keep": "leaves it as it is (absent: keep)",
}


def fed_by(tenant_id: str, known: Iterable[KnownAddition]) -> tuple[KnownAddition, ...]:
    """Return the additions of ours that bill usage of this tenant, by id."""
    found = (
        each
        for each in known
        if not each.closed
        and each.ended is None
        and each.quantity > 0
        and any(part.tenant_id == tenant_id for part in each.parts)
    )
    return tuple(sorted(found, key=lambda each: each.id))


def goes_on(tenant_id: str, known: Iterable[KnownAddition], directory: Directory) -> list[str]:
    """Say what goes on billing when a tenant is turned off, and how to end it."""
    found = fed_by(tenant_id, known)
    if not found:
        return ["Nothing that the connector wrote to ConnectWise bills it."]
    told = []
    for each in found:
        if _shared(tenant_id, each):
            told.append(f"{_shown(each, directory)} bills others too: the next run sets it to what they use.")
        else:
            told.append(f"{_shown(each, directory)} goes on billing as it is, and no run touches it.")
    alone = [each for each in found if not _shared(tenant_id, each)]
    if alone:
        which = "it" if len(alone) == 1 else "them"
        told.append(
            f"To end {which}, open the agreement in ConnectWise, tab Additions, and give the line a "
            "Cancelled Date; the plan reports it as OFF_STILL_BILLING until then."
        )
    return told


def left_behind(tenant_id: str, known: Iterable[KnownAddition], placer: Placer) -> list[str]:
    """Say what the next run does with additions of ours that the map sends this tenant's usage away from.

    `placer` is that of the map to be.
    """
    told = []
    for each in fed_by(tenant_id, known):
        codes = sorted({part.product_code for part in each.parts if part.tenant_id == tenant_id})
        placed = [placer.place(tenant_id, code) for code in codes]
        if each.key in placed or not any(isinstance(place, Key) for place in placed):
            continue
        does = _NEXT_RUN[placer.mappings.defaults.absent]
        if _shared(tenant_id, each):
            does = "sets it to what the others use that it bills"
        told.append(f"{_shown(each, placer.directory)} bills it until now: the next run {does}.")
    return told


def _shared(tenant_id: str, known: KnownAddition) -> bool:
    return any(part.tenant_id != tenant_id for part in known.parts)


def _shown(known: KnownAddition, directory: Directory) -> str:
    item = directory.items.get(known.key.item_id)
    agreement = directory.agreements.get(known.key.agreement_id)
    company = directory.companies.get(agreement.company_id) if agreement is not None else None
    sold = item.identifier if item is not None else f"item {known.key.item_id}"
    where = f'"{agreement.name}" ' if agreement is not None else ""
    whose = f" of {company.identifier}" if company is not None else ""
    return f"{plain(known.quantity)} {sold} on {where}({known.key.agreement_id}){whose}, addition {known.id},"
