"""Which lines of mappings.yaml decided a row, a part or a change; today's lines, and what they said then."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connector.mappings.places import Places, Spot
from connector.model import Mappings, UsageRow
from connector.planning.explanation import DECIDED_BY, MapLine
from connector.planning.findings import Part


@dataclass(frozen=True, slots=True)
class MapThen:
    """mappings.yaml as it was used, with the places of what it says; `run` is None for today's."""

    file: str
    mappings: Mappings
    places: Places
    run: int | None = None


Find = Callable[[Places], Spot | None]

OFF_TENANT, OFF_EXCEPTION, OFF_PRODUCT, NO_ITEM = "tenant", "exception", "product", "product without item"
"""What can turn usage off."""


def part_lines(part: Part, then: MapThen, now: MapThen) -> tuple[MapLine, ...]:
    """Return the lines that send a tenant's usage of a code to its line (contract rule 5)."""
    return tuple(
        line for what, find in _deciding(part, then) for line in (_line(what, find, then, now),) if line
    )


def _deciding(part: Part, then: MapThen) -> Iterator[tuple[str, Find]]:
    tenant_id, code = part.pair
    entry = then.mappings.tenants.get(tenant_id)
    said = entry.products.get(code) if entry is not None else None
    product = then.mappings.products.get(code)

    def tenant(field: str) -> Find:
        return lambda places: places.tenant(tenant_id, field)

    def from_product(field: str) -> Find:
        return lambda places: places.product(code, field)

    def exception(field: str) -> Find:
        return lambda places: places.exception(tenant_id, code, field)

    yield "company", tenant("company")
    yield "agreement", exception("agreement") if said and said.agreement is not None else tenant("agreement")
    yield "item", exception("item") if said and said.item is not None else from_product("item")
    if said is not None and said.sync:
        yield "sync", exception("sync")
    if product is not None and product.per is not None:
        yield "per", from_product("per")
        yield "round", from_product("round")
    if product is not None and product.aggregate != "sum":
        yield "aggregate", from_product("aggregate")
    if said is not None and said.minimum is not None:
        yield "minimum", exception("minimum")
    elif product is not None and product.minimum is not None:
        yield "minimum", from_product("minimum")


def off_line(tenant_id: str, code: str, then: MapThen, now: MapThen) -> MapLine | None:
    """Return the line that turns a tenant's usage of a code off; `what` says whether it is the tenant's."""
    entry = then.mappings.tenants.get(tenant_id)
    if entry is not None and not entry.sync:
        return _line(OFF_TENANT, lambda places: places.tenant(tenant_id, "sync"), then, now)
    if entry is not None and code in entry.products and entry.products[code].sync is False:
        return _line(OFF_EXCEPTION, lambda places: places.exception(tenant_id, code, "sync"), then, now)
    said = _line(OFF_PRODUCT, lambda places: places.product(code, "sync"), then, now)
    return said or _line(NO_ITEM, lambda places: places.product(code), then, now)


def firewall_line(serial: str, then: MapThen, now: MapThen) -> MapLine | None:
    """Return the line of `firewalls:` that places a serial number."""
    return _line("firewall", lambda places: places.firewall(serial), then, now)


def customer_line(row: UsageRow, then: MapThen, now: MapThen) -> MapLine | None:
    """Return the line of `import:` that says which tenant a file's customer is; None where a name did."""
    customer = str(json.loads(row.received).get("assignedAccountIdentifier") or "")
    return _line("customer", lambda places: places.imported_tenant(customer), then, now) if customer else None


def kind_lines(kind: str, then: MapThen, now: MapThen) -> tuple[MapLine, ...]:
    """Return the lines of `defaults:` that decide a kind of change, also where the file leaves them out."""
    found = []
    for name in DECIDED_BY.get(kind, ()):
        line = _line(name, lambda places, name=name: places.default(name), then, now)  # type: ignore[misc]
        value = getattr(now.mappings.defaults, name)
        shown = str(value).lower() if isinstance(value, bool) else value
        found.append(line or MapLine(name, now.file, None, f"{name}: {shown} (where nothing is said)"))
    return tuple(found)


def _line(what: str, find: Find, then: MapThen, now: MapThen) -> MapLine | None:
    """Return today's line, with what the map of the run said where that differs."""
    spot, was = find(now.places), find(then.places)
    if spot is None and was is None:
        return None
    if was is not None and (spot is None or spot.value != was.value):
        told = f"the map of run {then.run} had, in line {was.line}: {was.text}"
    elif was is None and then.run is not None:
        told = f"the map of run {then.run} did not say it"
    else:
        told = None
    if spot is None:
        return MapLine(what, now.file, None, "not in the map any more", told)
    return MapLine(what, now.file, spot.line, spot.text, told)
