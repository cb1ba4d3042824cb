"""Whose a row of a consumption file is and what it bills, by what the map and the ledger know for certain."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.ledger import Ledger
from connector.ledger.history import CodeSeen, codes_seen, tenant_names
from connector.mappings.import_shape import name_key
from connector.mappings.suggest import Namesakes
from connector.mappings.wording import quoted
from connector.model import Company, Firewall, Mappings, UsageRow, serial_of, tenant_id_of
from connector.planning.product_names import product_name
from connector.planning.tenant_finder import TenantFinder

_MOST_CANDIDATES = 3
_MOST_SEARCHED = 300


@dataclass(frozen=True, slots=True)
class TenantCandidate:
    """A tenant that a customer of the file may be, and why; a person decides."""

    tenant_id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """What of a row nobody knows for certain, and the lines of mappings.yaml that would say it."""

    code: str
    message: str
    next_step: str
    candidates: tuple[TenantCandidate, ...] = ()


class Names:
    """Finds tenants and product codes by equal names that only one has; never by likeness."""

    def __init__(self, mappings: Mappings, ledger: Ledger) -> None:
        """Read what is stored, once."""
        self._mappings = mappings
        stored = tenant_names(ledger)
        self._called = {key: entry.name for key, entry in mappings.tenants.items() if entry.name} | stored
        self._known = stored.keys() | mappings.tenants.keys()
        self._tenants: dict[str, set[str]] = defaultdict(set)
        for each in (stored, {key: entry.name for key, entry in mappings.tenants.items()}):
            for tenant_id, name in each.items():
                self._tenants[name_key(name)].add(tenant_id)
        self.seen: Mapping[str, CodeSeen] = codes_seen(ledger)
        self._products: dict[str, set[str]] = defaultdict(set)
        for code, product in self.seen.items():
            self._products[_bare(product.name)].add(code)
        self._codes: dict[str, set[str]] = defaultdict(set)
        for code in mappings.products.keys() | self.seen.keys():
            self._codes[code.casefold()].add(code)
        self._said = _said_codes(mappings.imports.product_codes)
        self.finder = TenantFinder(self._known, mappings.firewalls, _firewalls(ledger))
        self._unknown_tenants: dict[str, Unknown] = {}
        self._namesakes: Namesakes | None = None
        self._listed: list[str] = []

    def tenant(self, name: str, tenant_id: str) -> str | Unknown:
        """Return the id of a customer of the file: by its id, the map, or a name that one tenant has."""
        for said in (tenant_id, name):
            if tenant_id_of(said) in self._known:
                return tenant_id_of(said)
        declared = self._mappings.imports.tenants.get(name_key(name))
        if declared is not None:
            return declared
        found = self._tenants.get(name_key(name), set())
        if len(found) == 1 and name_key(name):
            return next(iter(found))
        if name not in self._unknown_tenants:
            self._unknown_tenants[name] = self._unknown_tenant(name, sorted(found))
        return self._unknown_tenants[name]

    def knows_device(self, serial: str) -> bool:
        """Whether a serial number is that of a firewall which Sophos lists or the map places."""
        return self.finder.knows_device(UsageRow("", Decimal(0), serial=serial_of(serial)))

    def product_code(self, code: str, sku: str, description: str) -> str | Unknown:
        """Return the product code of a row: its own, the map's, a known SKU, or that of an equal name.

        Its own is written as Sophos or the map writes it, in whatever case the file does.
        """
        if code:
            alike = self._codes.get(code.casefold(), set())
            return next(iter(alike)) if len(alike) == 1 else code
        bare = _bare(description)
        declared = self._mappings.imports.product_codes.get(name_key(description)) or self._said.get(bare)
        if declared is not None:
            return declared
        if sku and (sku in self._mappings.products or sku in self.seen):
            return sku
        found = sorted(self._products.get(bare, ()))
        if len(found) == 1 and bare:
            return found[0]
        which = f"; {len(found)} codes have this name: {', '.join(found)}" if found else ""
        return Unknown(
            "IMPORT_FAILED",
            f"no product code is known for {quoted(description)}{which}",
            "say it in mappings.yaml: import: {product_codes: "
            f"{{{quoted(product_name(description) or description)}: CODE}}}}",
        )

    def _unknown_tenant(self, name: str, same: list[str]) -> Unknown:
        candidates = (
            tuple(TenantCandidate(each, self._called.get(each, ""), "the same name") for each in same)
            if same
            else self._alike(name)
            if len(self._unknown_tenants) < _MOST_SEARCHED  # nobody reads further, and each search takes time
            else ()
        )
        told = ", ".join(f"{quoted(each.name)} ({each.tenant_id})" for each in candidates)
        what = (
            f"{len(same)} tenants are called {quoted(name)}: {told}"
            if same
            else f"no tenant is called {quoted(name)}{f'; near: {told}' if told else ''}"
        )
        first = candidates[0].tenant_id if len(candidates) == 1 else "TENANT-ID"
        return Unknown(
            "UNMAPPED_TENANT",
            what,
            f"say whose it is in mappings.yaml: import: {{tenants: {{{quoted(name)}: {first}}}}}",
            candidates,
        )

    def _alike(self, name: str) -> tuple[TenantCandidate, ...]:
        if self._namesakes is None:
            self._listed = sorted(self._called)
            self._namesakes = Namesakes(
                Company(number, "", self._called[tenant_id]) for number, tenant_id in enumerate(self._listed)
            )
        found = self._namesakes.candidates(name, _MOST_CANDIDATES)
        return tuple(
            TenantCandidate(self._listed[each.record.id], each.record.name, each.reason) for each in found
        )


def _bare(description: str) -> str:
    return name_key(product_name(description))


def _said_codes(declared: Mapping[str, str]) -> dict[str, str]:
    """Return the map's codes by description without price band, where these are still one code each."""
    codes: dict[str, set[str]] = defaultdict(set)
    for description, code in declared.items():
        codes[_bare(description)].add(code)
    return {bare: next(iter(found)) for bare, found in codes.items() if len(found) == 1 and bare}


def _firewalls(ledger: Ledger) -> Iterable[Firewall]:
    return (
        Firewall(row["serial"], row["model"], row["tenant_id"], row["billing_tenant_id"], row["last_contact"])
        for row in ledger.query("SELECT * FROM firewalls ORDER BY serial")
    )
