"""Usage rows -> what each key should bill, and what cannot be placed (contract rules 3 to 8)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from connector.model import Agreement, Company, Key, Mappings, Reference, TenantEntry, UsageRow
from connector.planning.allowances import desired_of
from connector.planning.directory import Directory, Unplaced
from connector.planning.findings import Desired, Part, Unresolved, tenant_label
from connector.planning.references import assign_command, code_command, tenant_command
from connector.planning.summing import Sum, summed
from connector.planning.tenant_finder import TenantFinder


@dataclass(frozen=True, slots=True)
class Off:
    """Usage that mappings.yaml says not to bill."""


Placement = Key | Off | Unplaced

OFF = Off()
UNMAPPED = frozenset({"UNMAPPED_TENANT", "UNMAPPED_PRODUCT"})

NEXT_STEPS = {
    "UNMAPPED_TENANT": "give the tenant a company and an agreement",
    "UNMAPPED_PRODUCT": "give the product an item",
    "FIREWALL_UNASSIGNED": "assign its monthly licence to a tenant in Sophos Central Partner (Flex "
    "Billing), or place it by its serial number",
    "COMPANY_NOT_FOUND": "correct `company` of the tenant",
    "COMPANY_AMBIGUOUS": "write the company's id as a whole number",
    "COMPANY_CHANGED": "write the company's id as a whole number",
    "AGREEMENT_NOT_FOUND": "correct `agreement` of the tenant",
    "AGREEMENT_AMBIGUOUS": "write the agreement's id as a whole number",
    "AGREEMENT_CHANGED": "write the agreement's id as a whole number",
    "AGREEMENT_INACTIVE": "renew the agreement in ConnectWise, or name another one",
    "ITEM_NOT_FOUND": "correct `item` of the product",
    "ITEM_AMBIGUOUS": "write the item's id as a whole number",
    "ITEM_CHANGED": "write the item's id as a whole number",
    "ITEM_IS_BUNDLE": "map the product to an item of class Agreement, Service or NonInventory",
}


class Placer:
    """Decides for a tenant and a product code which key bills them (contract rules 5, 7 and 8)."""

    def __init__(self, mappings: Mappings, directory: Directory) -> None:
        """Hold both sides; placements are worked out once for each pair."""
        self.mappings = mappings
        self.directory = directory
        self._placed: dict[tuple[str, str], Placement] = {}
        self._usual_items: dict[str, Reference | Off | Unplaced] = {}
        self._usual_agreements: dict[str, Agreement | Unplaced] = {}

    def place(self, tenant_id: str, product_code: str) -> Placement:
        """Return the key that bills this pair, or that it is off, or why it cannot be placed."""
        return self.place_pair((tenant_id, product_code))

    def place_pair(self, pair: tuple[str, str]) -> Placement:
        """Return the same for a tenant and product code that stand together."""
        placed = self._placed.get(pair)
        if placed is None:
            placed = self._placed[pair] = self._place(*pair)
        return placed

    def agreement_ids(self) -> set[int]:
        """Return every agreement that a mapped tenant is billed through; learns their names.

        Those of tenants that are off count too: what still bills there has to be reported.
        """
        found = set()
        for tenant_id in sorted(self.mappings.tenants):
            entry = self.mappings.tenants[tenant_id]
            exceptions = [entry.products[code].agreement for code in sorted(entry.products)]
            for reference in dict.fromkeys([entry.agreement, *exceptions]):
                agreement = self._agreement(entry.company, reference)
                if isinstance(agreement, Agreement):
                    found.add(agreement.id)
        return found

    def pairs_by_key(self) -> dict[Key, tuple[tuple[str, str], ...]]:
        """Return which pairs mappings.yaml sends to each key: the lineage when the ledger has none."""
        pairs: dict[Key, list[tuple[str, str]]] = defaultdict(list)
        for tenant_id, entry in self.mappings.tenants.items():
            for code in self.mappings.products.keys() | entry.products.keys():
                placement = self.place(tenant_id, code)
                if isinstance(placement, Key):
                    pairs[placement].append((tenant_id, code))
        return {key: tuple(sorted(found)) for key, found in pairs.items()}

    def _place(self, tenant_id: str, product_code: str) -> Placement:
        tenant = self.mappings.tenants.get(tenant_id)
        if tenant is not None and not tenant.sync:
            return OFF
        said = tenant.products.get(product_code) if tenant is not None else None
        item = (
            self._usual_item(product_code) if said is None else item_for(self.mappings, tenant, product_code)
        )
        if isinstance(item, Off):
            return item
        if tenant is None:
            return Unplaced("UNMAPPED_TENANT", "the tenant has no entry in mappings.yaml")
        if isinstance(item, Unplaced):
            return item
        if said is not None and said.agreement is not None:
            agreement = self._agreement(tenant.company, said.agreement)
        else:
            agreement = self._usual_agreement(tenant_id, tenant)
        if isinstance(agreement, Unplaced):
            return agreement
        found = self.directory.item(item)
        return found if isinstance(found, Unplaced) else Key(agreement.id, found.id)

    def _usual_item(self, product_code: str) -> Reference | Off | Unplaced:
        """Return which item bills a code where a tenant says nothing of it; asked for each pair, so kept."""
        item = self._usual_items.get(product_code)
        if item is None:
            item = self._usual_items[product_code] = item_for(self.mappings, None, product_code)
        return item

    def _usual_agreement(self, tenant_id: str, tenant: TenantEntry) -> Agreement | Unplaced:
        """Return the agreement that a tenant's own entry names."""
        agreement = self._usual_agreements.get(tenant_id)
        if agreement is None:
            agreement = self._agreement(tenant.company, tenant.agreement)
            self._usual_agreements[tenant_id] = agreement
        return agreement

    def _agreement(self, company: Reference | None, reference: Reference | None) -> Agreement | Unplaced:
        if company is None or reference is None:
            lacking = "company" if company is None else "agreement"
            return Unplaced("UNMAPPED_TENANT", f"the tenant's entry in mappings.yaml names no {lacking}")
        found = self.directory.company(company)
        return self.directory.agreement(found, reference) if isinstance(found, Company) else found


def item_for(mappings: Mappings, tenant: TenantEntry | None, product_code: str) -> Reference | Off | Unplaced:
    """Say which item bills a code for a tenant: the tenant's exception first, then `products:`."""
    said = tenant.products.get(product_code) if tenant is not None else None
    entry = mappings.products.get(product_code)
    if said is not None and said.sync is False:
        return OFF
    turned_on = said is not None and (said.item is not None or said.sync is True)
    if entry is not None and not entry.on and not turned_on:
        return OFF
    if said is not None and said.item is not None:
        return said.item
    if entry is not None and entry.item is not None:
        return entry.item
    if turned_on:
        return Unplaced(
            "UNMAPPED_PRODUCT", f"{product_code} is turned on for the tenant, but nothing names its item"
        )
    return Unplaced("UNMAPPED_PRODUCT", f"product code {product_code!r} has no entry in mappings.yaml")


def item_references(mappings: Mappings) -> set[Reference]:
    """Return every item that mappings.yaml names."""
    references = {entry.item for entry in mappings.products.values() if entry.item is not None}
    for tenant in mappings.tenants.values():
        references |= {said.item for said in tenant.products.values() if said.item is not None}
    return references


@dataclass(frozen=True, slots=True)
class Resolved:
    """A month's usage, placed.

    `present` are the tenants with at least one row, `placed_serials` the devices of rows that have a tenant,
    `used` is every tenant's usage of each code, billed or not.
    """

    rows: int
    rows_by_pair: Mapping[tuple[str, str], int]
    desired: Mapping[Key, Desired]
    unresolved: tuple[Unresolved, ...]
    present: frozenset[str]
    placed_serials: frozenset[str] = frozenset()
    used: tuple[Part, ...] = ()


def resolve(
    rows: Iterable[UsageRow],
    finder: TenantFinder,
    placer: Placer,
    names: Mapping[str, str],
    *,
    also: Callable[[str, UsageRow], None] | None = None,
) -> Resolved:
    """Place every row on a key, or say why not; `names` are the tenants' names, for people.

    The rows are gone through once: `also` is told each of them that has a tenant.
    """
    sums, orphans = summed(
        rows, finder, is_told=lambda pair: isinstance(placer.place_pair(pair), Unplaced), also=also
    )
    parts: dict[Key, list[Part]] = defaultdict(list)
    unresolved = []
    used = []
    for pair in sorted(sums):
        tenant_id, code = pair
        total = sums[pair]
        part = Part(tenant_id, code, total.quantity, total.serials)
        used.append(part)
        placement = placer.place_pair(pair)
        if isinstance(placement, Unplaced):
            unresolved.append(_unplaced(placement, tenant_id, code, total, names))
        elif isinstance(placement, Key):
            parts[placement].append(part)
    for (serial, code), total in sorted(
        orphans.items(), key=lambda orphan: (orphan[0][0] or "", orphan[0][1])
    ):
        unresolved.append(_orphan(serial, code, total))

    return Resolved(
        rows=sum(total.rows for total in (*sums.values(), *orphans.values())),
        rows_by_pair={pair: total.rows for pair, total in sums.items()},
        desired={key: desired_of(placer.mappings, fed) for key, fed in parts.items()},
        unresolved=tuple(unresolved),
        present=frozenset(tenant_id for tenant_id, _ in sums),
        placed_serials=frozenset(serial for part in used for serial in part.serials),
        used=tuple(used),
    )


def _unplaced(
    placement: Unplaced, tenant_id: str, code: str, total: Sum, names: Mapping[str, str]
) -> Unresolved:
    shown = code or "a row without productCode and sku"
    return Unresolved(
        code=placement.code,
        message=f"{tenant_label(tenant_id, names)}, {shown}: {placement.message}",
        tenant_id=tenant_id,
        product_code=code,
        quantity=total.quantity,
        serial=total.serial if total.device and total.more is None else None,
        rows=total.rows,
        next_step=_next_step(placement.code, tenant_id, code),
    )


def _next_step(why: str, tenant_id: str, code: str) -> str:
    """Return what to do, with the command that does it where there is one."""
    match why:
        case "UNMAPPED_PRODUCT" if code:
            commands = code_command("map", code), code_command("off", code)
        case "UNMAPPED_TENANT":
            commands = tenant_command("map", tenant_id), tenant_command("off", tenant_id)
        case _:
            return NEXT_STEPS[why]
    return f"{NEXT_STEPS[why]}: {commands[0]}, or, not to bill it: {commands[1]}"


def _orphan(serial: str | None, code: str, total: Sum) -> Unresolved:
    device = f"serial {serial}" if serial else "a row with neither account nor serial number"
    return Unresolved(
        code="FIREWALL_UNASSIGNED",
        message=f"{device}, {code}: Sophos does not say whose it is",
        tenant_id=None,
        product_code=code,
        quantity=total.quantity,
        serial=serial,
        rows=total.rows,
        next_step=NEXT_STEPS["FIREWALL_UNASSIGNED"] + (f": {assign_command(serial)}" if serial else ""),
    )
