"""A month seen product by product, tenant by tenant and firewall by firewall: who is billed as what."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.errors import CommandFault
from connector.model import (
    Agreement,
    CatalogItem,
    Company,
    Firewall,
    Key,
    Mappings,
    Tenant,
    TenantEntry,
    UsageRow,
    tenant_id_of,
)
from connector.planning.directory import Directory, Unplaced, folded
from connector.planning.prices import cost_of
from connector.planning.product_names import product_name
from connector.planning.resolve import NEXT_STEPS, Off, Placer
from connector.planning.states import FirewallState, ProductState, State, TenantState
from connector.planning.tenant_finder import TenantFinder

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Survey:
    """One month's usage beside the map and ConnectWise's records; every view is worked out from it.

    `called` is what Sophos called each product code that usage ever had, and its group.
    """

    rows: tuple[UsageRow, ...]
    tenants: tuple[Tenant, ...]
    firewalls: tuple[Firewall, ...]
    placer: Placer
    called: Mapping[str, tuple[str, str]]

    @property
    def mappings(self) -> Mappings:
        """The map."""
        return self.placer.mappings

    @property
    def directory(self) -> Directory:
        """ConnectWise's records."""
        return self.placer.directory

    @property
    def finder(self) -> TenantFinder:
        """Finds whose a row is."""
        known = {tenant.id for tenant in self.tenants} | self.mappings.tenants.keys()
        return TenantFinder(known, self.mappings.firewalls, self.firewalls)

    def tenant_names(self) -> dict[str, str]:
        """Return what people call each tenant: Sophos's name, else that of the map."""
        names = {tenant_id: entry.name for tenant_id, entry in self.mappings.tenants.items() if entry.name}
        return names | {tenant.id: tenant.name for tenant in self.tenants if tenant.name}

    # Products ------------------------------------------------------------------------------------

    def products(self) -> tuple[ProductState, ...]:
        """Return every code that usage ever had or the map names, the one that costs most first."""
        finder = self.finder
        rows: dict[str, list[UsageRow]] = defaultdict(list)
        used_by: dict[str, set[str | None]] = defaultdict(set)
        for row in self.rows:
            rows[row.product_code].append(row)
            used_by[row.product_code].add(finder.tenant_of(row))
        codes = {*rows, *self.called, *self.mappings.products}
        codes.update(code for entry in self.mappings.tenants.values() for code in entry.products)
        found = [self._product(code, rows[code], len(used_by[code] - {None})) for code in codes]
        return tuple(sorted(found, key=_dearest_first))

    def _product(self, code: str, rows: list[UsageRow], tenants: int) -> ProductState:
        name, group = self.called.get(code, ("", ""))
        for row in rows:
            name, group = row.description or name, row.group or group
        entry = self.mappings.products.get(code)
        reference = entry.item if entry is not None else None
        item = self.directory.item(reference) if reference is not None else None
        notes = list(_product_notes(entry.name if entry is not None else "", name))
        state: State = "new"
        if isinstance(item, Unplaced):
            state = "fault"
            notes.insert(0, f"{item.message}: {NEXT_STEPS[item.code]}")
        elif isinstance(item, CatalogItem):
            state = "on"
            if isinstance(reference, str) and folded(reference) != folded(item.identifier):
                notes.append(f"renamed in ConnectWise: {reference} is {item.identifier} now")
            if item.inactive:
                notes.append(f"{item.identifier} is inactive: no new addition can be made of it")
        if entry is not None and not entry.on:
            state = "off"
        found = item if isinstance(item, CatalogItem) else None
        return ProductState(
            code=code,
            name=name or (entry.name if entry is not None else ""),
            group=group,
            tenants=tenants,
            quantity=sum((row.quantity for row in rows), Decimal(0)),
            cost=cost_of(rows),
            state=state,
            item=reference,
            item_id=found.id if found is not None else None,
            identifier=found.identifier if found is not None else "",
            notes=tuple(notes),
        )

    # Tenants -------------------------------------------------------------------------------------

    def tenant_states(self) -> tuple[TenantState, ...]:
        """Return every tenant that Sophos lists, the map names or usage has, by name."""
        finder = self.finder
        rows: dict[str, list[UsageRow]] = defaultdict(list)
        for row in self.rows:
            tenant_id = finder.tenant_of(row)
            if tenant_id is not None:
                rows[tenant_id].append(row)
        listed = {tenant.id: tenant for tenant in self.tenants}
        names = self.tenant_names()
        found = []
        for tenant_id in {*listed, *self.mappings.tenants, *rows}:
            tenant = listed.get(tenant_id, Tenant(tenant_id, names.get(tenant_id, ""), "", "not in Sophos"))
            found.append(self._tenant(tenant, names.get(tenant_id, ""), rows[tenant_id]))
        return tuple(sorted(found, key=lambda each: (each.name.casefold(), each.id)))

    def tenant(self, text: str) -> TenantState:
        """Return the tenant of an id, or of a name that only one has; raises CommandFault."""
        states = self.tenant_states()
        wanted, name = tenant_id_of(text), folded(text)
        found = [each for each in states if each.id == wanted] or [
            each for each in states if folded(each.name) == name
        ]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(each.id for each in found)
            raise CommandFault(
                f"{len(found)} tenants are called {text.strip()!r}: {listed}.",
                "Give the id of the right one.",
            )
        near = [each for each in states if name and name in folded(each.name)][:_MOST_NAMED]
        hint = "; near: " + ", ".join(f"{each.name} ({each.id})" for each in near) if near else ""
        raise CommandFault(
            f"No tenant has the id or the name {text.strip()!r}{hint}.",
            "Copy the id from: connector tenants",
        )

    def _tenant(self, tenant: Tenant, name: str, rows: list[UsageRow]) -> TenantState:
        entry = self.mappings.tenants.get(tenant.id)
        state, company, agreement, note = self._place(entry)
        return TenantState(
            id=tenant.id,
            name=name,
            billing_type=tenant.billing_type,
            status=tenant.status or "",
            state=state,
            quantity=sum((row.quantity for row in rows), Decimal(0)),
            cost=cost_of(rows),
            company=entry.company if entry is not None else None,
            agreement=entry.agreement if entry is not None else None,
            company_id=company.id if company is not None else None,
            agreement_id=agreement.id if agreement is not None else None,
            note=note,
        )

    def _place(self, entry: TenantEntry | None) -> tuple[State, Company | None, Agreement | None, str]:
        if entry is None:
            return "new", None, None, ""
        company = self.directory.company(entry.company) if entry.company is not None else None
        agreement = None
        if isinstance(company, Company) and entry.agreement is not None:
            agreement = self.directory.agreement(company, entry.agreement)
        flaw = next((found for found in (company, agreement) if isinstance(found, Unplaced)), None)
        state: State = "on" if isinstance(agreement, Agreement) else "new" if flaw is None else "fault"
        return (
            state if entry.sync else "off",
            company if isinstance(company, Company) else None,
            agreement if isinstance(agreement, Agreement) else None,
            f"{flaw.message}: {NEXT_STEPS[flaw.code]}" if flaw is not None and entry.sync else "",
        )

    # Firewalls -----------------------------------------------------------------------------------

    def firewall_states(self) -> tuple[FirewallState, ...]:
        """Return every firewall that Sophos lists or bills, unassigned ones first, by what they cost."""
        finder = self.finder
        rows: dict[str, list[UsageRow]] = defaultdict(list)
        listed: dict[str, Firewall] = {}
        for firewall in self.firewalls:
            listed.setdefault(firewall.serial, firewall)
        for serial in self.mappings.firewalls:
            listed.setdefault(serial, Firewall(serial))
        for row in self.rows:
            if row.serial in listed or finder.tenant_of(row) is None:
                serial = row.serial or ""
                rows[serial].append(row)
                listed.setdefault(serial, Firewall(serial))
        found = [self._firewall(firewall, rows[serial], finder) for serial, firewall in listed.items()]
        return tuple(sorted(found, key=_unassigned_first))

    def firewall_owners(self, serial: str, placed: Mapping[str, str]) -> frozenset[str]:
        """Return whose a firewall is this month, with `placed` for the map's `firewalls:`."""
        known = {tenant.id for tenant in self.tenants} | self.mappings.tenants.keys()
        finder = TenantFinder(known, placed, self.firewalls)
        rows = [row for row in self.rows if row.serial == serial] or [UsageRow("", Decimal(0), serial=serial)]
        return frozenset(owner for owner in map(finder.tenant_of, rows) if owner is not None)

    def _firewall(self, firewall: Firewall, rows: list[UsageRow], finder: TenantFinder) -> FirewallState:
        owners = {finder.tenant_of(row) for row in rows} or {
            finder.tenant_of(UsageRow("", Decimal(0), serial=firewall.serial))
        }
        owner = next(iter(owners)) if len(owners) == 1 else None
        codes = tuple(sorted({row.product_code for row in rows}))
        key, note = self._billed_to(owner, codes)
        return FirewallState(
            firewall=firewall,
            codes=codes,
            quantity=sum((row.quantity for row in rows), Decimal(0)),
            cost=cost_of(rows),
            tenant_id=owner,
            key=key,
            note=note,
        )

    def _billed_to(self, tenant_id: str | None, codes: Iterable[str]) -> tuple[Key | None, str]:
        for code in codes:
            if tenant_id is None:
                return None, NEXT_STEPS["FIREWALL_UNASSIGNED"]
            placement = self.placer.place(tenant_id, code)
            if isinstance(placement, Key):
                return placement, ""
            return None, "off" if isinstance(placement, Off) else placement.message
        return None, "no usage this month"


def _product_notes(ours: str, theirs: str) -> Iterable[str]:
    """Yield what Sophos's own words for a code are, where a person knows it by others."""
    if ours and theirs and folded(product_name(ours)) != folded(product_name(theirs)):
        yield f"Sophos calls it: {theirs}"


def _dearest_first(product: ProductState) -> tuple[Decimal, Decimal, str]:
    return (
        -max((money.amount for money in product.cost), default=Decimal(0)),
        -product.quantity,
        product.code,
    )


def _unassigned_first(state: FirewallState) -> tuple[bool, Decimal, str]:
    dearest = max((money.amount for money in state.cost), default=Decimal(0))
    return (not state.unassigned, -dearest if state.unassigned else Decimal(0), state.firewall.serial)
