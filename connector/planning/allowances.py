"""How much of an item a tenant's usage comes to: units, commitments and bundles of mappings.yaml.

For each tenant and code: `per` first, rounded once to whole units of the item, then `minimum`. Then the
codes of one tenant on a key are added up, or with `aggregate: max` the largest of them counts. Tenants are
always added up. Pure, and without any of these keys the sum of what Sophos counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby

from connector.model import Aggregate, Mappings, ProductEntry, Reference, Rounding
from connector.planning.change import plain
from connector.planning.directory import folded
from connector.planning.findings import Desired, Part, tenant_label

ZERO = Decimal(0)
_NO_ENTRY = ProductEntry()


@dataclass(frozen=True, slots=True)
class Share:
    """What one tenant's usage of one code comes to: `units` after `per`, `billed` after `minimum`."""

    part: Part
    units: Decimal
    billed: Decimal
    per: int | None = None
    rounding: Rounding = "up"

    @property
    def committed(self) -> bool:
        """Whether the tenant's minimum bills, and not its usage."""
        return self.billed > self.units


@dataclass(frozen=True, slots=True)
class TenantShare:
    """What one tenant feeds into a key: the sum of its shares, or the largest of them."""

    tenant_id: str
    shares: tuple[Share, ...]
    aggregate: Aggregate

    @property
    def billed(self) -> Decimal:
        """The units of the item that the tenant is billed for."""
        return self._joined([share.billed for share in self.shares])

    @property
    def used(self) -> Decimal:
        """The units of the item that the tenant has used, which a minimum may be above."""
        return self._joined([share.units for share in self.shares])

    def _joined(self, units: list[Decimal]) -> Decimal:
        return max(units) if self.aggregate == "max" else sum(units, ZERO)


def desired_of(mappings: Mappings, parts: Iterable[Part]) -> Desired:
    """Return what a key should bill for these parts, which are in order of tenant and code.

    Parts keep what Sophos counts. Where a tenant's codes disagree on how they add up, nobody can tell.
    """
    fed = tuple(parts)
    if all(counted_as_used(mappings, part.tenant_id, part.product_code) for part in fed):
        # As nearly all are, and fast.
        total = fed[0].quantity if len(fed) == 1 else sum((part.quantity for part in fed), ZERO)
        return Desired(total, fed)
    tenants = tenant_shares(mappings, fed)
    return Desired(
        quantity=sum((tenant.billed for tenant in tenants), ZERO),
        parts=tuple(_remembered(share) for tenant in tenants for share in tenant.shares),
        conflict=_conflict(mappings, tenants),
        committed=sum((tenant.billed - tenant.used for tenant in tenants), ZERO),
    )


def tenant_shares(mappings: Mappings, parts: Iterable[Part]) -> tuple[TenantShare, ...]:
    """Return what each tenant feeds into a key, in the order of its parts."""
    found = []
    for tenant_id, fed in groupby(parts, key=lambda part: part.tenant_id):
        shares = tuple(share_of(mappings, part) for part in fed)
        largest = all(_entry(mappings, share.part).aggregate == "max" for share in shares)
        found.append(TenantShare(tenant_id, shares, "max" if largest else "sum"))
    return tuple(found)


def share_of(mappings: Mappings, part: Part) -> Share:
    """Return what one tenant's usage of one code comes to; it has at least one row this month.

    A quantity below zero is nobody's commitment: it stays below zero, for a person to see.
    """
    entry = _entry(mappings, part)
    units = part.quantity if entry.per is None else whole_units(part.quantity, entry.per, entry.rounding)
    least = minimum_of(mappings, *part.pair)
    billed = max(units, least) if least is not None and units >= 0 else units
    return Share(part, units, billed, entry.per, entry.rounding)


def minimum_of(mappings: Mappings, tenant_id: str, product_code: str) -> Decimal | None:
    """Return a tenant's commitment for a code: its own exception first, then `products:`."""
    tenant = mappings.tenants.get(tenant_id)
    said = tenant.products.get(product_code) if tenant is not None else None
    if said is not None and said.minimum is not None:
        return said.minimum
    return mappings.products.get(product_code, _NO_ENTRY).minimum


def aggregate_of(mappings: Mappings, item: Reference, *, but: str) -> Aggregate | None:
    """Return how the codes that feed an item add up, or None where no code `but` that one feeds it."""
    return next(
        (
            entry.aggregate
            for code, entry in mappings.products.items()
            if code != but and entry.on and entry.item is not None and _alike(entry.item, item)
        ),
        None,
    )


def whole_units(quantity: Decimal, per: int, rounding: Rounding) -> Decimal:
    """Return how many whole units of the item a quantity is, `per` of Sophos's units being one of them."""
    numerator, denominator = quantity.as_integer_ratio()
    divisor = denominator * per
    return Decimal(-(-numerator // divisor) if rounding == "up" else numerator // divisor)


def counted_as_used(mappings: Mappings, tenant_id: str, product_code: str) -> bool:
    """Whether the item's quantity tells what Sophos counted of this code: nothing is converted."""
    entry = mappings.products.get(product_code, _NO_ENTRY)
    return (
        entry.per is None
        and entry.aggregate == "sum"
        and minimum_of(mappings, tenant_id, product_code) is None
    )


def told(mappings: Mappings, parts: Iterable[Part], names: Mapping[str, str]) -> str:
    """Say what a key's quantity is made of: `12 CIXA-MSP + 3 CDE-MSP`, `7 CIXA-MSP / 3, rounded up = 3`."""
    tenants = tenant_shares(mappings, parts)
    terms = []
    for tenant in tenants:
        suffix = f" for {tenant_label(tenant.tenant_id, names)}" if len(tenants) > 1 else ""
        each = [(_told_share(share), share) for share in tenant.shares]
        if tenant.aggregate == "max" and len(each) > 1:
            listed = ", ".join(_bracketed(text, share) for text, share in each)
            terms.append(f"max of {listed} = {plain(tenant.billed)}{suffix}")
        else:
            alone = len(each) == len(tenants) == 1
            terms += [(text if alone else _bracketed(text, share)) + suffix for text, share in each]
    return " + ".join(terms)


def _alike(one: Reference, other: Reference) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return folded(one) == folded(other)
    return one == other


def _entry(mappings: Mappings, part: Part) -> ProductEntry:
    return mappings.products.get(part.product_code, _NO_ENTRY)


def _remembered(share: Share) -> Part:
    """Return a part as the ledger keeps it: that it bills though nothing is used must not be forgotten."""
    return replace(share.part, committed=True) if share.committed else share.part


def _conflict(mappings: Mappings, tenants: Iterable[TenantShare]) -> str:
    """Say which codes of one tenant disagree on how they add up; "" where none do."""
    for tenant in tenants:
        said = {share.part.product_code: _entry(mappings, share.part).aggregate for share in tenant.shares}
        if len(set(said.values())) > 1:
            return ", ".join(f"{code} has {aggregate}" for code, aggregate in said.items())
    return ""


def _told_share(share: Share) -> str:
    code, used = share.part.product_code, plain(share.part.quantity)
    if share.per is not None:
        exact = share.units * share.per == share.part.quantity
        rounded = "" if exact else f", rounded {share.rounding}"
        if not share.committed:
            return f"{used} {code} / {share.per}{rounded} = {plain(share.units)}"
        used += f" / {share.per}{rounded} = {plain(share.units)}"
    return f"minimum {plain(share.billed)} {code} ({used} used)" if share.committed else f"{used} {code}"


def _bracketed(text: str, share: Share) -> str:
    return f"({text})" if share.per is not None and not share.committed else text
