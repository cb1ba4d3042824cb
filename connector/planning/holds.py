"""When a change must wait for a person although it could be made (contract rule 17)."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from decimal import Decimal

from connector.model import GuardLimits
from connector.planning.change import Change
from connector.planning.directory import Unplaced
from connector.planning.findings import Options, Part, Unresolved
from connector.planning.resolve import UNMAPPED, Off, Placer, Resolved
from connector.planning.successors import SUSPECTED

TENANT_CODES = frozenset(
    {
        "UNMAPPED_TENANT",
        "COMPANY_NOT_FOUND",
        "COMPANY_AMBIGUOUS",
        "COMPANY_CHANGED",
        "AGREEMENT_NOT_FOUND",
        "AGREEMENT_AMBIGUOUS",
        "AGREEMENT_CHANGED",
        "AGREEMENT_INACTIVE",
    }
)
PRODUCT_CODES = frozenset(
    {"UNMAPPED_PRODUCT", "ITEM_NOT_FOUND", "ITEM_AMBIGUOUS", "ITEM_CHANGED", "ITEM_IS_BUNDLE"}
)
LARGE_INCREASE = "LARGE_INCREASE"
FAILED_ROWS = frozenset({"UNMAPPED_TENANT", "IMPORT_FAILED"})
"""What rows of a consumption file are, without a tenant, that could not be imported."""


def grows_too_far(change: Change, limits: GuardLimits) -> bool:
    """Whether a line that bills something rises beyond what is done without asking (contract rule 17)."""
    before = change.before or Decimal(0)
    grown = change.after - before
    return 0 < before * limits.increase_factor < change.after and grown > limits.increase_units


class Holds:
    """Knows what is unresolved this month, and so which falls nobody can be sure of."""

    def __init__(
        self,
        *,
        unresolved: Collection[Unresolved],
        resolved: Resolved,
        suspected: Collection[tuple[str, str]],
        placer: Placer,
        limits: GuardLimits,
        options: Options,
    ) -> None:
        """Index what is unresolved by the thing that is: a pair, a tenant, a code or a serial.

        `suspected` are the tenants and codes that an unmapped code may follow.
        """
        self._present = resolved.present
        self._suspected = suspected
        self._placed_serials = resolved.placed_serials
        self._placer = placer
        self._limits = limits
        self._options = options
        self._by_pair: dict[tuple[str, str], str] = {}
        self._by_tenant: dict[str, str] = {}
        self._by_code: dict[str, str] = {}
        self._by_serial: dict[str, str] = {}
        self._unassigned: dict[str, str] = {}
        self._not_imported: dict[str | None, str] = {}
        for entry in unresolved:
            self._index(entry)

    def _index(self, entry: Unresolved) -> None:
        if entry.tenant_id is not None and entry.product_code is not None:
            self._by_pair.setdefault((entry.tenant_id, entry.product_code), entry.code)
        if entry.tenant_id is not None and entry.code in TENANT_CODES:
            self._by_tenant.setdefault(entry.tenant_id, entry.code)
        if entry.product_code is not None and entry.code in PRODUCT_CODES and not self._own_rule(entry):
            self._by_code.setdefault(entry.product_code, entry.code)
        if entry.serial is not None:
            self._by_serial.setdefault(entry.serial, entry.code)
        if entry.tenant_id is None and entry.code in FAILED_ROWS:
            self._not_imported.setdefault(entry.product_code, entry.code)
        elif entry.tenant_id is None and entry.product_code is not None:
            self._unassigned.setdefault(entry.product_code, entry.code)

    def _own_rule(self, entry: Unresolved) -> bool:
        """Whether only this tenant's exception is at fault, which says nothing of other tenants."""
        tenant = self._placer.mappings.tenants.get(entry.tenant_id or "")
        return tenant is not None and (entry.product_code or "") in tenant.products

    def judge(self, change: Change, *, certain: bool) -> Change:
        """Return the change, held with the first reason that no person has released.

        Who fed the key before is `certain` when the ledger says so, and worked out from mappings.yaml when
        the state was lost.
        """
        reasons = self.reasons(change, certain=certain)
        held = next((code for code in reasons if not self._options.releases(code)), None)
        return replace(change, held=held)

    def reasons(self, change: Change, *, certain: bool) -> Iterator[str]:
        """Yield every reason to hold a change, released or not, in the order in which they bind."""
        if change.after < 0:
            yield "NEGATIVE_QUANTITY"
        if change.held is not None:
            yield change.held
        if change.before is not None and change.before > 0:
            if change.after < change.before and change.kind != "adopt":
                yield from self._doubts(change.was, certain=certain)
            if grows_too_far(change, self._limits):
                yield LARGE_INCREASE

    def _doubts(self, was: tuple[Part, ...], *, certain: bool) -> Iterator[str]:
        """Yield why a fall of this key may not be what it looks like."""
        if any(part.pair in self._suspected for part in was):
            yield SUSPECTED
        vanished = False
        for part in was:
            placement = self._placer.place(part.tenant_id, part.product_code)
            billed_nothing = part.quantity <= 0 and not part.committed
            if isinstance(placement, Off) or (certain and billed_nothing):
                continue
            code = self._unresolved_of(part, certain=certain)
            if code is not None:
                yield code
            elif isinstance(placement, Unplaced) and placement.code not in UNMAPPED:
                yield placement.code
            vanished = vanished or part.tenant_id not in self._present
        if vanished:
            yield "TENANT_VANISHED"

    def _unresolved_of(self, part: Part, *, certain: bool) -> str | None:
        found = (
            self._by_pair.get(part.pair)
            or self._by_tenant.get(part.tenant_id)
            or self._by_code.get(part.product_code)
        )
        for serial in part.serials:
            found = found or self._by_serial.get(serial)
        # A row of the file that could not be imported may be anybody's, and of any product if it names none.
        found = found or self._not_imported.get(part.product_code) or self._not_imported.get(None)
        if not certain or not self._placed_serials.issuperset(part.serials):
            # One of their devices is not seen this month, or nobody knows which they were: an unassigned
            # one of the same code may be it, or its replacement.
            found = found or self._unassigned.get(part.product_code)
        return found
