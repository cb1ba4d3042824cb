"""What mends a key: the one next command, what a person looks at before it, and the evidence. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from connector.model import Key
from connector.planning.change import Change, plain
from connector.planning.codes import FORCEABLE
from connector.planning.diagnosis.sides import NO_LINES, Sides, people_beside
from connector.planning.diagnosis.stakes import charged
from connector.planning.findings import Objection, Options, Part
from connector.planning.guards import objections
from connector.planning.holds import Holds
from connector.planning.references import shell_word
from connector.planning.uncounted import NOT_COUNTED

INACTIVE, OFF, ADOPTION, BESIDE = "AGREEMENT_INACTIVE", "OFF_STILL_BILLING", "NEEDS_ADOPTION", "OTHER_LINES"
TOLD_APART = {"NOT_OURS", "ABSENT_KEPT", INACTIVE, OFF, "PRICE_ZERO", "MARGIN_NEGATIVE"}
"""Warnings of a key that its finding says itself."""


class Remedies:
    """Knows how each key is mended."""

    def __init__(
        self, sides: Sides, tried: Mapping[Key, str], suspected: Collection[tuple[str, str]] = ()
    ) -> None:
        """Hold the numbers, what ConnectWise refused when it was tried, and what may have a new code."""
        self._sides = sides
        self._tried = tried
        self._suspected = suspected

    def mended(self, key: Key, change: Change | None) -> str:
        """Return the command that makes a change, or that tells more where none can."""
        sides = self._sides
        if change is None or change.held == NOT_COUNTED:
            return sides.command("plan")
        if change.held is not None or change.kind == "adopt":
            return self._released(key, change)
        return sides.command("plan" if sides.plan.objections else "sync")

    def recreated(self, key: Key) -> str:
        """Return the command that bills a key on a new line, though somebody ended the one it had."""
        if self._sides.plan.objections:
            return self._sides.command("plan")
        return self._narrowed("sync", key, " --recreate")

    def _released(self, key: Key, change: Change) -> str:
        """Return the command that makes this change and no other, whatever holds it."""
        command = "adopt" if change.kind == "adopt" else "sync"
        reasons = [each for each in self.reasons(key, change) if (command, each) != ("adopt", ADOPTION)]
        if not FORCEABLE.issuperset(reasons) or self.refusals(key, change):
            return self._sides.command("plan")
        return self._narrowed(command, key, "".join(f" --force {each}" for each in reasons))

    def _narrowed(self, command: str, key: Key, more: str) -> str:
        """Return a command for what feeds this key: what a person releases is this and no more."""
        sides, parts = self._sides, self._sides.was(key)
        place = sides.inputs.placer.place
        here = next((part for part in parts if place(*part.pair) == key), None)
        part = here or next((part for part in parts if self._known(part)), None)
        if part is None:  # no command knows it any more
            return sides.command("plan")
        tenant, code = _option("tenant", part.tenant_id), _option("product", part.product_code)
        return f"{sides.command(command)} {tenant} {code}{more}"

    def _known(self, part: Part) -> bool:
        """Whether a command takes a tenant and a product code: by mappings.yaml or this month's usage."""
        inputs = self._sides.inputs
        mappings = inputs.placer.mappings
        codes = {*mappings.products, *(used.product_code for used in inputs.resolved.used)}
        codes.update(code for entry in mappings.tenants.values() for code in entry.products)
        tenants = {*mappings.tenants, *inputs.names, *inputs.resolved.present}
        return part.product_code in codes and part.tenant_id in tenants

    # Why a run does not make a change ------------------------------------------------------------

    @cached_property
    def _holds(self) -> Holds:
        inputs, plan = self._sides.inputs, self._sides.plan
        beside = {id(entry) for entry in inputs.restated}
        return Holds(
            unresolved=[
                entry
                for entry in plan.unresolved
                if not entry.billed and entry.code != NOT_COUNTED and id(entry) not in beside
            ],
            resolved=inputs.resolved,
            suspected=self._suspected,
            placer=inputs.placer,
            limits=inputs.placer.mappings.guards,
            options=Options(),
        )

    def reasons(self, key: Key, change: Change) -> tuple[str, ...]:
        """Return all that holds a change: the one of the plan, and those that wait behind it."""
        if change.held == NOT_COUNTED:
            return (NOT_COUNTED,)
        asks = change.kind == "adopt" and self._sides.inputs.placer.mappings.defaults.adopt == "ask"
        bare = replace(change, held=ADOPTION if asks else None)
        certain = change.before is not None and bool(self._sides.lines.get(key, NO_LINES).was)
        return tuple(dict.fromkeys(self._holds.reasons(bare, certain=certain)))

    def refusals(self, key: Key, change: Change) -> tuple[Objection, ...]:
        """Return the guards that refuse a change: in the whole plan, or once it alone is released."""
        sides = self._sides
        inputs, found = sides.inputs, {each.name: each for each in sides.plan.objections}
        if change.held is not None or change.kind == "adopt":
            only = frozenset({"adopt"} if change.kind == "adopt" else ())
            options = Options(force=frozenset(self.reasons(key, change)), only=only)
            alone = replace(sides.plan, changes=(replace(change, held=None),), options=options)
            refused = objections(
                alone,
                inputs.placer.mappings.guards,
                rows=inputs.resolved.rows,
                newest_applied=inputs.newest_applied,
                applied_source=inputs.applied_source,
            )
            found = {each.name: each for each in refused} | found
        return tuple(found.values())

    # Evidence ------------------------------------------------------------------------------------

    def evidence(self, key: Key, change: Change | None = None) -> Iterator[str]:
        """Yield what speaks for a finding: who feeds it, what is included, what holds or refuses it."""
        sides = self._sides
        desired = sides.desired(key)
        if desired is not None and desired.parts:
            yield f"used: {sides.words.sum_of(desired.parts)}"
        yield from self._of_lines(key)
        if change is not None and change.held is not None:
            yield f"the next run holds it back as {' and '.join(self.reasons(key, change))}"
        if any(each.code == "ABSENT_KEPT" for each in sides.warnings.get(key, ())):
            yield "`absent: keep` leaves the line as it is"
        if key in self._tried:
            yield f"the last try failed: {self._tried[key]}"
        beside = {*TOLD_APART, BESIDE} if sides.beside(key) else TOLD_APART
        yield from (each.message for each in sides.warnings.get(key, ()) if each.code not in beside)
        if change is not None:
            yield from (f"guard {each.name}: {each.message}" for each in self.refusals(key, change))

    def _of_lines(self, key: Key) -> Iterator[str]:
        sides = self._sides
        if sides.beside(key):
            yield people_beside(sides.beside(key))
        for gone in sides.lines.get(key, NO_LINES).gone:
            yield f"addition {gone.id} is gone from ConnectWise"
        for line in sides.live(key):
            if line.less_included > 0:
                yield f"{plain(line.less_included)} of addition {line.id} are included and not billed"
            if not charged(line):
                yield f"ConnectWise does not charge addition {line.id} ({line.bill_customer})"


def _option(name: str, value: str) -> str:
    """Return an option with its value; one that begins with a dash is no option of its own."""
    between = "=" if value.startswith("-") else " "
    return f"--{name}{between}{shell_word(value, {'tenant': 'TENANT', 'product': 'CODE'}[name])}"


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
