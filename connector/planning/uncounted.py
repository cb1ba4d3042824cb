"""What live counts do not tell, and so must not be written: it is unknown, which is not nothing."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector.model import Key
from connector.planning.findings import Part, Unresolved, Warn, tenant_label
from connector.planning.resolve import Off, Placer

NOT_COUNTED = "NOT_COUNTED"
WITHOUT_FIREWALLS = "LIVE_WITHOUT_FIREWALLS"

_HIDDEN = (
    "let the partner manage the tenant in Sophos Central, or bill the month from the invoice when it is "
    "published: connector sync"
)
_UNCOUNTED = "Sophos counts it within a day or two, or not at all: the invoice will say"


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Tenants whose licences may not be seen, licences without a count, and firewalls' product codes.

    `firewalls` says whether there is any firewall that live counts leave out.
    """

    tenants: frozenset[str] = frozenset()
    pairs: frozenset[tuple[str, str]] = frozenset()
    devices: frozenset[str] = frozenset()
    firewalls: bool = False

    def lacks(self, part: Part) -> bool:
        """Whether nobody knows how much a part is today, though it would be counted."""
        return part.tenant_id in self.tenants or part.pair in self.pairs

    def knows(self, part: Part) -> bool:
        """Whether a part that has no usage today has truly none."""
        return part.product_code not in self.devices and not self.lacks(part)

    def feeds(self, parts: Collection[Part]) -> bool:
        """Whether firewalls are among what feeds a line."""
        return any(part.product_code in self.devices for part in parts)


def not_counted(uncounted: Uncounted, placer: Placer, names: Mapping[str, str]) -> Iterator[Unresolved]:
    """Yield what a person has to look at; what mappings.yaml has off is not among it."""
    for tenant_id in sorted(uncounted.tenants):
        entry = placer.mappings.tenants.get(tenant_id)
        if entry is None or entry.sync:
            what = "Sophos does not show its licences (403), so it is not counted and nothing of it changes"
            yield _entry(tenant_id, None, f"{tenant_label(tenant_id, names)}: {what}", _HIDDEN)
    for tenant_id, code in sorted(uncounted.pairs):
        if not isinstance(placer.place(tenant_id, code), Off):
            what = "Sophos names the licence without a count, so nothing that it feeds changes"
            yield _entry(tenant_id, code, f"{tenant_label(tenant_id, names)}, {code}: {what}", _UNCOUNTED)


def _entry(tenant_id: str, code: str | None, message: str, next_step: str) -> Unresolved:
    return Unresolved(NOT_COUNTED, message, tenant_id, code, Decimal(0), rows=0, next_step=next_step)


def without_firewalls(uncounted: Uncounted, left_alone: Collection[Key]) -> Iterator[Warn]:
    """Yield the note that live counts leave firewalls out, where there are any."""
    if uncounted.firewalls or left_alone:
        lines = "1 line" if len(left_alone) == 1 else f"{len(left_alone)} lines"
        what = (
            f"Live counts leave firewalls out, as Sophos does: {lines} that firewalls feed stay as they are"
        )
        yield Warn(WITHOUT_FIREWALLS, what)
