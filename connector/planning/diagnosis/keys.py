"""What is wrong with one key: one class for each difference, the one that binds first. Pure."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from connector.model import Addition, Key
from connector.planning.change import Change, plain
from connector.planning.diagnosis.closing import invoiced_because
from connector.planning.diagnosis.discrepancies import NOT_CHECKED, Discrepancy
from connector.planning.diagnosis.late import agreed_then, late_item
from connector.planning.diagnosis.remedies import ADOPTION, INACTIVE, OFF, Remedies, looked
from connector.planning.diagnosis.sides import NO_LINES, Sides, listed
from connector.planning.diagnosis.stakes import Costs
from connector.planning.directory import inactive_because
from connector.planning.plan import NEXT_STEPS

ZERO = Decimal(0)
DUPLICATES, ENDED = "DUPLICATE_ADDITIONS", "ENDED_BY_HAND"
RECREATED = {ENDED, "MOVED_BY_HAND"}


class KeyDoctor:
    """Judges keys one by one."""

    def __init__(
        self,
        sides: Sides,
        costs: Costs,
        tried: Mapping[Key, str],
        explained: Collection[Key] = (),
        suspected: Collection[tuple[str, str]] = (),
    ) -> None:
        """Hold the numbers, what ConnectWise refused when it was `tried`, and keys that others explain.

        `suspected` are the tenants and codes that an unmapped code may follow.
        """
        self._sides = sides
        self._costs = costs
        self._tried = tried
        self._explained = explained
        self._remedies = Remedies(sides, tried, suspected)

    def judge(self, key: Key, waiting: Decimal = ZERO) -> Discrepancy | None:
        """Return what is wrong with a key; `waiting` is usage that only its inactive agreement keeps out."""
        sides = self._sides
        if key.agreement_id in sides.unread or key.agreement_id not in sides.inputs.additions:
            return self._not_read(key)
        codes = [entry.code for entry in sides.unresolved.get(key, ())]
        warned = {each.code for each in sides.warnings.get(key, ())}
        if DUPLICATES in codes or self._doubled(key):
            return self._duplicates(key)
        late = sides.then is not None and agreed_then(sides, sides.then, key)
        if ENDED in codes and not late:
            return self._as_planned(key, ENDED)
        if INACTIVE in warned:
            return self._inactive(key, waiting)
        if OFF in warned:
            return self._off(key)
        if key in self._explained:
            return None
        if codes and codes[0] != ADOPTION and not (late and codes[0] in RECREATED):
            return self._as_planned(key, codes[0])
        return None if late else self._by_numbers(key)

    # What the plan says already ------------------------------------------------------------------

    def _not_read(self, key: Key) -> Discrepancy:
        sides = self._sides
        lost = "ConnectWise does not list the agreement any more, and we have a line on it"
        why = sides.unread.get(key.agreement_id)
        desired = sides.desired(key)
        return sides.item(
            NOT_CHECKED,
            key,
            lost if why is None else f"its additions could not be read: {why}",
            sides.command("diagnose"),
            advice="see in ConnectWise what became of the agreement"
            if why is None
            else "give the API member access to the agreement in ConnectWise",
            money=self._costs.of(desired.parts) if desired is not None else None,
        )

    def _doubled(self, key: Key) -> bool:
        """Whether people's own lines bill beside ours what is used once."""
        lines, desired = self._sides.lines.get(key, NO_LINES), self._sides.desired(key)
        beside = any(line.quantity > 0 for line in lines.others)
        return bool(lines.managed) and beside and desired is not None and desired.quantity > 0

    def _duplicates(self, key: Key) -> Discrepancy:
        live, desired = self._sides.live(key), self._sides.desired(key)
        ours = len(self._sides.lines[key].managed)
        told = ", ".join(f"{line.id} with {plain(line.quantity)}" for line in live)
        wanted = max(desired.quantity, ZERO) if desired is not None else ZERO
        differs = _differs(wanted, sum((line.quantity for line in live), ZERO))
        return self._sides.item(
            DUPLICATES,
            key,
            f"{len(live)} additions of this item bill at the same time: {told}; {differs}",
            self._sides.command("sync"),
            advice=NEXT_STEPS[DUPLICATES],
            evidence=(f"{ours} of them ours", *self._remedies.evidence(key, self._sides.changes.get(key))),
            money=self._sides.stake(key),
        )

    def _as_planned(self, key: Key, code: str) -> Discrepancy:
        entry = next(each for each in self._sides.unresolved[key] if each.code == code)
        again = code in RECREATED
        return self._sides.item(
            code,
            key,
            entry.message.removeprefix(f"{self._sides.named(key)}: "),
            self._remedies.recreated(key) if again else self._sides.command("plan"),
            advice="if it should stay ended, turn the product off for the tenant instead"
            if code == ENDED
            else NEXT_STEPS[code],
            evidence=tuple(self._remedies.evidence(key)),
            money=self._sides.stake(key) if code != "AGGREGATE_DIFFERS" else None,
        )

    def _inactive(self, key: Key, waiting: Decimal) -> Discrepancy:
        sides = self._sides
        lines = sides.billing(key)
        reason = inactive_because(sides.directory.agreements[key.agreement_id], sides.inputs.today)
        stays = f"addition {lines[0].id} stays at {plain(lines[0].quantity)}"
        if len(lines) > 1:
            stays = f"additions {listed(lines)} stay"
        return sides.item(
            INACTIVE,
            key,
            f"{stays}, for {'their' if len(lines) > 1 else 'its'} agreement {reason}",
            sides.command("plan"),
            advice="renew the agreement in ConnectWise, or name another one in mappings.yaml",
            evidence=(
                *((f"usage of {plain(waiting)} waits for it",) if waiting else ()),
                *self._remedies.evidence(key),
            ),
            usage=waiting or None,
            money=sides.stake(key),
        )

    def _off(self, key: Key) -> Discrepancy:
        lines = self._sides.billing(key)
        codes = ", ".join(sorted({part.product_code for part in self._sides.was(key)}))
        return self._sides.item(
            OFF,
            key,
            f"{_go_on(lines)}, though mappings.yaml has it off",
            self._sides.command("plan"),
            advice="end the line in ConnectWise if it should stop, or turn the product on again",
            evidence=(
                *((f"off in mappings.yaml, or not in it any more: {codes}",) if codes else ()),
                *self._remedies.evidence(key),
            ),
            addition_id=lines[0].id,
            money=self._sides.stake(key),
        )

    # By numbers ----------------------------------------------------------------------------------

    def _by_numbers(self, key: Key) -> Discrepancy | None:
        sides = self._sides
        if sides.then is not None:
            return late_item(sides, self._remedies, sides.then, key, self._tried.get(key))
        lines, desired = sides.lines.get(key, NO_LINES), sides.desired(key)
        wanted = desired.quantity if desired is not None else ZERO
        if wanted < 0:
            return self._difference(
                "NEGATIVE_QUANTITY", key, f"usage adds up to {plain(wanted)}, which no line can bill"
            )
        if lines.managed:
            return self._ours(key, lines.managed[0], wanted)
        if lines.others:
            return self._theirs(key, lines.others[0], wanted)
        if wanted > 0:
            message = f"{plain(wanted)} should be billed, and there is no addition"
            return self._closed(key, message) or self._difference("NO_ADDITION", key, message)
        return None

    def _ours(self, key: Key, line: Addition, wanted: Decimal) -> Discrepancy | None:
        known = self._sides.inputs.known.get(line.id)
        edited = known is not None and known.key == key and known.quantity != line.quantity
        told = (
            f"somebody made it {plain(line.quantity)}; {plain(known.quantity)} was written" if known else ""
        )
        if max(line.quantity, ZERO) == wanted:
            if self._sides.beside(key):
                ours = f"beside our addition {line.id} at {plain(line.quantity)}"
                what = "and nothing that mappings.yaml bills as it is used"
                return self._orphans(key, f"{ours}, {what}", told if edited else "")
            if not edited:
                return None
            return self._sides.item(
                "HAND_EDITED",
                key,
                f"{told}, and {plain(wanted)} is used: nothing is wrong now",
                self._sides.command("plan"),
                evidence=tuple(self._remedies.evidence(key, self._sides.changes.get(key))),
                needs_person=False,
            )
        differs = _differs(wanted, line.quantity)
        closed = self._closed(key, differs)
        if closed is not None:
            return closed
        if edited:
            return self._difference("HAND_EDITED", key, f"{told}, and {plain(wanted)} is used")
        if wanted == 0:
            desired = self._sides.desired(key)
            why = self._sides.words.why_absent(key, self._sides.was(key) if desired is None else ())
            return self._difference("ORPHAN_ADDITION", key, f"{_bill(self._sides.billing(key))}: {why}")
        code = "UNDER_BILLED" if wanted > line.quantity else "OVER_BILLED"
        return self._difference(code, key, differs)

    def _theirs(self, key: Key, line: Addition, wanted: Decimal) -> Discrepancy | None:
        """Judge a line that people made: it is taken over, or it sells what nobody uses."""
        sides, made = self._sides, f"people made addition {line.id} with {plain(line.quantity)}"
        if wanted == 0:
            what = "and Sophos reports no usage of what mappings.yaml sells as this item"
            return self._orphans(key, what) if sides.billing(key) else None
        never = sides.inputs.placer.mappings.defaults.adopt == "never"
        advice = "set `adopt: ask` in mappings.yaml to take the line over" if never else ""
        planned = sides.changes.get(key)
        if planned is not None and planned.held != ADOPTION:
            advice = looked(planned)
        change = planned or Change("adopt", key, line.id, line.quantity, wanted, "")
        evidence = tuple(self._remedies.evidence(key, change))
        adopted = self._remedies.mended(key, change)
        if line.quantity == wanted:
            return sides.item(
                ADOPTION,
                key,
                f"{made}, which is what is used; it is theirs until it is taken over",
                adopted,
                advice=advice,
                evidence=evidence,
            )
        differs = _differs(wanted, line.quantity)
        closed = self._closed(key, differs)
        if closed is not None:
            return closed
        code = "UNDER_BILLED" if wanted > line.quantity else "OVER_BILLED"
        return sides.item(
            code,
            key,
            f"{differs}; {made}",
            adopted,
            advice=advice,
            evidence=evidence,
            money=sides.stake(key),
        )

    def _orphans(self, key: Key, why: str, told: str = "") -> Discrepancy:
        """Return the finding of people's own lines that nothing feeds: they are left alone."""
        lines = self._sides.lines[key].others
        lines = tuple(line for line in lines if line.quantity > 0)
        made = ", ".join(f"addition {line.id} with {plain(line.quantity)}" for line in lines)
        return self._sides.item(
            "ORPHAN_ADDITION",
            key,
            f"people made {made}, {why}",
            self._sides.command("plan"),
            advice="end the line in ConnectWise if nobody uses it; it is left alone",
            evidence=(
                *((told,) if told else ()),
                *self._remedies.evidence(key, self._sides.changes.get(key)),
            ),
            money=self._sides.stake(key),
            addition_id=lines[0].id,
        )

    def _closed(self, key: Key, differs: str) -> Discrepancy | None:
        """Return the finding of a difference that no write can mend, for the invoice is out."""
        sides = self._sides
        agreement = sides.directory.agreements[key.agreement_id]
        why = invoiced_because(agreement, sides.inputs.period, self._tried.get(key))
        if not why:
            return None
        numbers = sides.numbers(key)
        few = (numbers.usage or ZERO) > (numbers.connectwise or ZERO)
        return sides.item(
            "PERIOD_CLOSED",
            key,
            f"{differs}, and the agreement's invoice for {sides.inputs.period} is out",
            sides.command("plan"),
            advice="bill the difference by hand on the next invoice; what is written now counts from then on"
            if few
            else "raise a credit for the difference; what is written now counts from the next invoice on",
            evidence=(why, *self._remedies.evidence(key, sides.changes.get(key))),
            money=sides.stake(key),
        )

    # What a person or a run mends ----------------------------------------------------------------

    def _difference(self, code: str, key: Key, message: str) -> Discrepancy:
        """Return the finding of a difference that a run mends, at once or when a person has looked."""
        change = self._sides.changes.get(key)
        return self._sides.item(
            code,
            key,
            message,
            self._remedies.mended(key, change),
            advice=looked(change),
            evidence=tuple(self._remedies.evidence(key, change)),
            money=self._sides.stake(key),
        )


def _bill(lines: Sequence[Addition]) -> str:
    if len(lines) == 1:
        return f"addition {lines[0].id} bills {plain(lines[0].quantity)}"
    return f"additions {listed(lines)} bill"


def _go_on(lines: Sequence[Addition]) -> str:
    if len(lines) == 1:
        return f"addition {lines[0].id} goes on billing {plain(lines[0].quantity)}"
    return f"additions {listed(lines)} go on billing"


def _differs(wanted: Decimal, shown: Decimal) -> str:
    few = "too few" if wanted > shown else "too many"
    has = f"{plain(wanted)} should be billed, and ConnectWise has {plain(shown)}"
    return f"{has}: {plain(abs(wanted - shown))} {few}" if wanted != shown else f"{has}, as they should"
