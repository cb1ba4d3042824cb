"""Product codes that Sophos may have replaced: a mapped one vanished where an unmapped one appeared.

Nobody stops a product at several tenants in the month in which another one begins there, so nothing that
the old code fed is zeroed until a person has said what the new one is. Pure, as all of planning.

The thresholds, on the side of holding too much:
- Several: the new code is used at two or more tenants that the old one vanished from. A tenant that has no
  row at all this month says nothing of codes, and is not counted.
- Similar: a tenant's new quantity is within a quarter of the old one or within two units, whichever is more.
- A suspicion stands where it is similar at two or more tenants and at half or more of those that the old
  code vanished from. So that quantities may drift while nobody decides, it also stands where the new code
  is at every one of them, and the sum is between half and double of what it was.
- It holds every tenant that has lost the old code and got the new one, similar or not.
- An old code that was split in two is compared less what has been mapped to its item since, so that the
  other half stays held while nobody has decided it.
- An old code has one successor: most similar tenants, then the nearest sum, then the order of the codes. Two
  old codes share one only where no other is left. Tenants that got another suspect are held as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.model import Key, Mappings, Reference
from connector.planning.allowances import counted_as_used
from connector.planning.change import Change
from connector.planning.directory import Unplaced
from connector.planning.findings import Part
from connector.planning.lines import Lines
from connector.planning.references import map_command
from connector.planning.resolve import item_for

SUSPECTED = "SUSPECTED_SUCCESSOR"
SEVERAL = 2
SHARE = Decimal("0.5")
NEAR_SHARE = Decimal("0.25")
NEAR_UNITS = Decimal(2)
DRIFT = Decimal(2)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Successor:
    """An unmapped code that may be what Sophos calls an old one now.

    `item` is what the old code is mapped to, as mappings.yaml writes it. `tenants` lost the old code and
    use the new one, `vanished` counts all that lost it, `before` and `now` are sums over `tenants`; `before`
    is 0 where nobody knows it. `held_at` are the tenants whose falls must wait: `tenants`, and those that
    another suspect appeared at.
    """

    old: str
    new: str
    item: Reference
    tenants: tuple[str, ...]
    vanished: int
    before: Decimal
    now: Decimal
    held_at: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command that maps the new code to the same item, as every shell reads it alike.

        A text that no quotes make safe in all of them is left to the person, as CODE or ITEM.
        """
        return map_command(self.new, self.item)


def find_successors(before: Iterable[Part], now: Iterable[Part], mappings: Mappings) -> tuple[Successor, ...]:
    """Return every old code that an unmapped one may have replaced, in the order of the old codes.

    `before` is what fed our lines, with quantity 0 where nobody knows how much; `now` is all usage of the
    month, mapped or not.
    """
    fed = _by_tenant(before)
    used = _by_tenant(part for part in now if part.tenant_id in fed)
    lost: dict[str, dict[str, Decimal]] = defaultdict(dict)
    got: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for tenant_id in sorted(fed.keys() & used.keys()):
        entry = mappings.tenants.get(tenant_id)
        if entry is None or not entry.sync:
            continue
        here = used[tenant_id]
        unmapped = [
            code
            for code, quantity in here.items()
            if quantity > 0
            and code not in fed[tenant_id]
            and isinstance(item_for(mappings, entry, code), Unplaced)
        ]
        for old, quantity in fed[tenant_id].items():
            if here.get(old, ZERO) <= 0 and isinstance(item_for(mappings, entry, old), str | int):
                lost[old][tenant_id] = quantity
                for new in unmapped:
                    got[old, new][tenant_id] = here[new]

    standing = []
    for (old, new), quantities in got.items():
        alike = _alike(lost[old], quantities)
        if alike:
            standing.append((-alike, _distance(lost[old], quantities), old, new))
    chosen = _one_each(sorted(standing))
    held_at: dict[str, set[str]] = defaultdict(set)
    for _, _, old, new in standing:
        held_at[old].update(got[old, new])
    return tuple(
        Successor(
            old=old,
            new=new,
            item=_item(mappings, old, got[old, new]),
            tenants=tuple(sorted(got[old, new])),
            vanished=len(lost[old]),
            before=_known_sum(lost[old], got[old, new]),
            now=sum(got[old, new].values(), ZERO),
            held_at=tuple(sorted(held_at[old])),
        )
        for old, new in sorted(chosen.items())
    )


def fed_before(
    lines: Mapping[Key, Lines], changes: Iterable[Change], used: Iterable[Part], mappings: Mappings
) -> tuple[Part, ...]:
    """Return what fed our lines before this month, as the ledger knows it, where a tenant lost any of it.

    Where the state was lost, it is what mappings.yaml would send to the lines that fall: by as much as the
    fall where only one tenant's one code can have caused it and is billed as Sophos counts it, else by
    nobody knows how much.
    """
    still = {part.pair for part in used if part.quantity > 0}
    was = [part for each in lines.values() for part in each.was if part.quantity > 0]
    # Where a tenant uses all that it did, nothing can have followed anything: as nearly all do.
    restless = {part.tenant_id for part in was if part.pair not in still}
    fed = list(
        not_followed(
            (part for part in was if part.tenant_id in restless),
            (part for part in used if part.tenant_id in restless),
            mappings,
        )
    )
    for change in changes:
        fall = (change.before or ZERO) - change.after
        if fall > 0 and not lines[change.key].was:
            gone = [part.pair for part in change.was if part.pair not in still]
            told = len(gone) == 1 and counted_as_used(mappings, *gone[0])
            fed += [Part(*pair, fall if told else ZERO) for pair in gone]
    return tuple(fed)


def not_followed(before: Iterable[Part], now: Iterable[Part], mappings: Mappings) -> tuple[Part, ...]:
    """Return what the ledger knows to have fed our lines, less what has been mapped to the same item since.

    So one half of a code that was split stays under suspicion when a person has mapped the other half.
    """
    before = tuple(before)
    fed, used = _by_tenant(before), _by_tenant(now)
    followed: dict[tuple[str, Reference], Decimal] = defaultdict(Decimal)
    for tenant_id in fed.keys() & used.keys():
        entry = mappings.tenants.get(tenant_id)
        for code, amount in used[tenant_id].items() if entry is not None else ():
            item = item_for(mappings, entry, code)
            if code not in fed[tenant_id] and isinstance(item, str | int) and amount > 0:
                followed[tenant_id, item] += amount
    left = []
    for part in sorted(before, key=lambda part: part.pair):
        item = item_for(mappings, mappings.tenants.get(part.tenant_id), part.product_code)
        pool = (part.tenant_id, item) if isinstance(item, str | int) else None
        gone = used.get(part.tenant_id, {}).get(part.product_code, ZERO) <= 0
        taken = min(part.quantity, followed[pool]) if pool in followed and gone else ZERO
        if pool is not None and taken:
            followed[pool] -= taken
        if taken < part.quantity:
            left.append(replace(part, quantity=part.quantity - taken) if taken else part)
    return tuple(left)


def held_pairs(successors: Iterable[Successor]) -> frozenset[tuple[str, str]]:
    """Return the tenants and old codes of which nothing may be zeroed meanwhile."""
    return frozenset((tenant_id, each.old) for each in successors for tenant_id in each.held_at)


def _by_tenant(parts: Iterable[Part]) -> dict[str, dict[str, Decimal]]:
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for part in parts:
        found[part.tenant_id][part.product_code] += part.quantity
    return found


def _alike(lost: Mapping[str, Decimal], got: Mapping[str, Decimal]) -> int:
    """Return at how many tenants the quantities are similar, or 0 where no suspicion stands."""
    similar = sum(_similar(lost[tenant_id], quantity) for tenant_id, quantity in got.items())
    if similar >= SEVERAL and similar >= SHARE * len(lost):
        return similar
    before, now = sum(lost.values(), ZERO), sum(got.values(), ZERO)
    everywhere = len(got) == len(lost) >= SEVERAL
    return len(got) if everywhere and before <= now * DRIFT and now <= before * DRIFT else 0


def _similar(before: Decimal, now: Decimal) -> bool:
    return before == 0 or abs(now - before) <= max(before * NEAR_SHARE, NEAR_UNITS)


def _distance(lost: Mapping[str, Decimal], got: Mapping[str, Decimal]) -> Decimal:
    return abs(sum((quantity - lost[tenant_id] for tenant_id, quantity in got.items()), ZERO))


def _known_sum(lost: Mapping[str, Decimal], tenants: Iterable[str]) -> Decimal:
    quantities = [lost[tenant_id] for tenant_id in tenants]
    return sum(quantities, ZERO) if all(quantities) else ZERO


def _one_each(ranked: list[tuple[int, Decimal, str, str]]) -> dict[str, str]:
    """Give every old code its best successor, another one's only where none of its own is left."""
    chosen: dict[str, str] = {}
    for shared in (False, True):
        for _, _, old, new in ranked:
            if old not in chosen and (shared or new not in chosen.values()):
                chosen[old] = new
    return chosen


def _item(mappings: Mappings, old: str, tenants: Iterable[str]) -> Reference:
    """Return what `products:` maps a code to, or else what most of these tenants' exceptions do."""
    entry = mappings.products.get(old)
    if entry is not None and entry.item is not None and entry.on:
        return entry.item
    said = (item_for(mappings, mappings.tenants[tenant_id], old) for tenant_id in tenants)
    return Counter(item for item in said if isinstance(item, str | int)).most_common(1)[0][0]
