"""The words of a plan: reasons that a billing clerk understands."""

from collections.abc import Iterable, Mapping

from connector.model import Key, Mappings, Period
from connector.planning.allowances import told
from connector.planning.change import plain
from connector.planning.directory import Directory
from connector.planning.findings import Desired, Part
from connector.planning.resolve import Placer
from connector.planning.successors import Successor


class Wording:
    """Names keys, sums and absences for people; decides nothing."""

    def __init__(self, placer: Placer, names: Mapping[str, str], period: Period) -> None:
        """`names` are the tenants' names."""
        self._placer = placer
        self._names = names
        self._period = period

    @property
    def directory(self) -> Directory:
        """ConnectWise's records."""
        return self._placer.directory

    def item(self, item_id: int) -> str:
        """Return an item's identifier, or its id where the catalog lacks it."""
        found = self.directory.items.get(item_id)
        return found.identifier if found is not None else f"item {item_id}"

    def company(self, agreement_id: int) -> str:
        """Return the identifier of the company that an agreement belongs to."""
        agreement = self.directory.agreements[agreement_id]
        company = self.directory.companies.get(agreement.company_id)
        return company.identifier if company is not None else agreement.company

    def agreement(self, agreement_id: int) -> str:
        """Return an agreement's name."""
        return self.directory.agreements[agreement_id].name

    def key(self, key: Key) -> str:
        """Name a key: its item, agreement and company."""
        agreement, company = self.agreement(key.agreement_id), self.company(key.agreement_id)
        return f'{self.item(key.item_id)} on "{agreement}" ({key.agreement_id}) of {company}'

    def sum_of(self, parts: tuple[Part, ...]) -> str:
        """Say what a quantity is made of: `12 CIXA-MSP + 3 CDE-MSP`."""
        return told(self._placer.mappings, parts, self._names)

    def wanted(self, desired: Desired, says: str = "bills") -> str:
        """Say how much should be billed, and why it is not what Sophos counts where it is not."""
        if desired.quantity == desired.used:
            return f"Sophos {says} {plain(desired.quantity)}"
        return f"{plain(desired.quantity)} should be billed ({self.sum_of(desired.parts)})"

    def why_absent(self, key: Key, was: Iterable[Part]) -> str:
        """Say why nothing feeds a key any more: usage stopped, or goes elsewhere now."""
        elsewhere = []
        stopped = []
        for part in was:
            placement = self._placer.place(part.tenant_id, part.product_code)
            if isinstance(placement, Key) and placement != key:
                elsewhere.append(f"{part.product_code} is billed as {self.key(placement)} now")
            else:
                stopped.append(part.product_code)
        reasons = list(dict.fromkeys(elsewhere))
        if stopped:
            reasons.append(f"no {' or '.join(dict.fromkeys(stopped))} usage in {self._period}")
        return "; ".join(reasons) or f"no usage in {self._period}"


def succession(each: Successor, mappings: Mappings) -> str:
    """Say which code vanished, which appeared instead, and what the evidence is."""
    if each.before:
        figures = f"{plain(each.before)} before, {plain(each.now)} now"
    else:
        figures = f"{plain(each.now)} now; how much of {each.old} there was is not on record"
    where = "all" if len(each.tenants) == each.vanished else str(len(each.tenants))
    told = (
        f"{each.old} has vanished from {each.vanished} tenants, and at {where} of them "
        f"{each.new}, which mappings.yaml does not know, is used ({figures}): Sophos may have given the "
        "product a new code"
    )
    exceptions = sum(each.old in mappings.tenants[tenant_id].products for tenant_id in each.tenants)
    if exceptions:
        told += (
            f"; {exceptions} of these tenants have exceptions for {each.old}, which do not cover {each.new}"
        )
    entry = mappings.products.get(each.old)
    if entry is not None and (entry.per is not None or entry.minimum is not None):
        told += (
            f"; `products:` counts {each.old} with `per` or `minimum`, which {each.new} has to be given too"
        )
    return told
