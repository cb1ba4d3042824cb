"""What mends a key: the one next command, what a person looks at before it, and the evidence. Pure."""

from collections.abc import Iterator, Mapping

from connector.model import Key
from connector.planning.change import Change, plain
from connector.planning.references import shell_word
from connector.planning.sides import NO_LINES, Sides
from connector.planning.stakes import charged
from connector.planning.uncounted import NOT_COUNTED

INACTIVE, OFF = "AGREEMENT_INACTIVE", "OFF_STILL_BILLING"
TOLD_APART = {"OTHER_LINES", "NOT_OURS", "ABSENT_KEPT", INACTIVE, OFF, "PRICE_ZERO", "MARGIN_NEGATIVE"}
"""Warnings of a key that its finding says itself."""


class Remedies:
    """Knows how each key is mended."""

    def __init__(self, sides: Sides, tried: Mapping[Key, str]) -> None:
        """Hold the numbers, and what ConnectWise said to changes that it refused."""
        self._sides = sides
        self._tried = tried

    def mended(self, key: Key, change: Change | None) -> str:
        """Return the command that makes a change, or that tells more where none can."""
        sides = self._sides
        if change is None or change.held == NOT_COUNTED:
            return sides.command("plan")
        if change.held is not None:
            return f"{self.narrowed(key)} --force {change.held}"
        return sides.command("plan" if sides.plan.objections else "sync")

    def narrowed(self, key: Key) -> str:
        """Return `connector sync` for what feeds this key: what a person releases is this and no more."""
        part = self._sides.was(key)[0]
        tenant, code = shell_word(part.tenant_id, "TENANT"), shell_word(part.product_code, "CODE")
        return f"{self._sides.command('sync')} --tenant {tenant} --product {code}"

    def evidence(self, key: Key, change: Change | None) -> Iterator[str]:
        """Yield what speaks for a finding: who feeds it, what is included, what holds or refuses it."""
        sides = self._sides
        desired, live = sides.desired(key), sides.live(key)
        if desired is not None and desired.parts:
            yield f"used: {sides.words.sum_of(desired.parts)}"
        for gone in sides.lines.get(key, NO_LINES).gone:
            yield f"addition {gone.id} is gone from ConnectWise"
        for line in live:
            if line.less_included > 0:
                yield f"{plain(line.less_included)} of addition {line.id} are included and not billed"
            if not charged(line):
                yield f"ConnectWise does not charge addition {line.id} ({line.bill_customer})"
        if change is not None and change.held not in {None, "NEEDS_ADOPTION"}:
            yield f"the next run holds it back as {change.held}"
        if any(each.code == "ABSENT_KEPT" for each in sides.warnings.get(key, ())):
            yield "`absent: keep` leaves the line as it is"
        if key in self._tried:
            yield f"the last try failed: {self._tried[key]}"
        yield from (each.message for each in sides.warnings.get(key, ()) if each.code not in TOLD_APART)
        yield from sides.guards(change)


def looked(change: Change | None) -> str:
    """Say what a person looks at before the next command."""
    if change is None:
        return "end the line in ConnectWise, or set it to what is used"
    match change.held:
        case None:
            return ""
        case "TENANT_VANISHED":
            return "make sure that the tenant has really gone, then release the change"
        case "LARGE_INCREASE":
            return "make sure that the increase is real, then release the change"
        case "NEGATIVE_QUANTITY":
            return "ask Sophos for the reason of the credit before anything is released"
        case code if code == NOT_COUNTED:
            return "wait for the invoice: what nobody has counted cannot be written"
        case code:
            return f"settle what is {code} first; release the change only if it is right as it stands"
