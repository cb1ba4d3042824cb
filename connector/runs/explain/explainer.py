"""Explains lines and usage from the ledger, ConnectWise beside it; asks Sophos nothing, writes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from connector.errors import CommandFault, ConnectorError
from connector.ledger import Ledger
from connector.ledger.billed import applied_sources
from connector.ledger.lineage import document_of, remembered_directory
from connector.ledger.months import pruned_on
from connector.mappings.file import MappingsFile
from connector.model import Addition, Key, Period
from connector.planning.allowances import desired_of
from connector.planning.change import carries_mark, plain
from connector.planning.explanation import (
    Asked,
    Event,
    Explanation,
    LineStory,
    MapLine,
    maker_of,
    sum_told,
)
from connector.planning.findings import tenant_label
from connector.planning.snapshots import Snapshot
from connector.runs.explain.lines import Basis, LineTeller
from connector.runs.explain.map import kind_lines
from connector.runs.explain.now import Now, look
from connector.runs.explain.subject import Subject, subject_of, unknown_addition
from connector.runs.explain.unbilled import Lacking
from connector.runs.reading import ConnectWise
from connector.runs.story import Story


@dataclass(frozen=True, slots=True)
class Explainer:
    """What explaining takes; `connectwise` is None where `note` says why it cannot be looked at."""

    ledger: Ledger
    file: MappingsFile
    today: date
    connectwise: ConnectWise | None
    note: str
    story: Story

    def explain(self, asked: Asked) -> Explanation:
        """Answer; raises CommandFault where nothing is known of what was asked for."""
        teller = LineTeller(self.ledger, self.file, self.today)
        newest = _month(teller, None)
        base = newest if asked.period is None else _month(teller, asked.period)
        subject = subject_of(asked, teller, base)
        now, note = self._look(subject, teller, newest)
        if subject.unknown is not None and not subject.lines:
            raise unknown_addition(subject.unknown, teller.stored, note)
        telling = _Telling(teller, base, newest.number == base.number, asked.period, now)
        if now is not None:
            subject.lines.update({line.id: line.key for line in now.marked(subject)})
        lines = [telling.story(*line) for line in sorted(subject.lines.items())]
        if now is not None:
            others = (line for line in now.peoples(subject) if line.id not in subject.lines)
            lines += [telling.peoples(line) for line in others]
        lines.sort(key=lambda line: (-(line.quantity or Decimal(0)), line.addition_id))
        lacking = Lacking(subject, teller, base, newest.number == base.number, lines, now)
        return Explanation(
            asked=asked,
            subject=subject.told,
            origin=teller.origin(base),
            lines=tuple(lines),
            unbilled=lacking.find(),
            looked=now is not None,
            note=note,
        )

    def _look(self, subject: Subject, teller: LineTeller, newest: Snapshot) -> tuple[Now | None, str]:
        """Look at ConnectWise; where that cannot be done, say why instead."""
        if self.connectwise is None:
            return None, self.note
        try:
            now = look(self.connectwise, subject, teller, newest, self.story)
        except CommandFault:
            raise
        except ConnectorError as error:
            return None, f"ConnectWise was not looked at: {error.message}"
        return now, now.note


def _month(teller: LineTeller, period: Period | None) -> Snapshot:
    """Return the usage in force of a month, else of the newest; raises CommandFault where there is none."""
    stored = [each for each in teller.snapshots.values() if each.pruned_at is None]
    wanted = period or max((each.period for each in stored), default=None)
    found = [each for each in stored if each.in_force and each.period == wanted]
    if wanted is None or not found:
        pruned = pruned_on(teller.ledger, wanted) if wanted is not None else None
        what = f"No usage of {wanted} is stored" if wanted is not None else "No usage is stored yet"
        if pruned is not None:
            what = f"The usage of {wanted} was pruned on {pruned}"
        raise CommandFault(
            f"{what}, so there is nothing to explain.", "See what is stored: connector usage months"
        )
    applied = applied_sources(teller.ledger, wanted)
    return max(found, key=lambda each: (each.source in applied[:1], each.read_at, each.number))


@dataclass(frozen=True, slots=True)
class _Telling:
    """Tells one line after the other; `now` is None where ConnectWise was not looked at."""

    teller: LineTeller
    base: Snapshot
    newest: bool
    period: Period | None
    now: Now | None

    def story(self, addition_id: int, key: Key) -> LineStory:
        """Tell a line that is or was ours; one that people made is told as theirs."""
        teller = self.teller
        line = self.now.line(addition_id) if self.now is not None else None
        stored = teller.stored.get(addition_id)
        if stored is None and line is not None and not carries_mark(line):
            return self.peoples(line)
        history = teller.history(addition_id, key)
        basis = teller.basis(addition_id, key, history, self.period) or self._unbilled_basis(key)
        month = None if self.newest else self.period
        maker = maker_of(history, month)
        marks = [each.mark for each in teller.changes(key) if each.addition_id == addition_id and each.mark]
        return LineStory(
            addition_id=addition_id,
            key=key,
            **self._named(key),
            mark=line.serial_number if line is not None else marks[-1] if marks else "",
            ours=True,
            connectwise=line,
            gone=self.now is not None and self.now.gone(addition_id, key),
            ended=stored is not None and (stored.closed or stored.ended is not None),
            written=stored.quantity if stored is not None else None,
            **self._fed(key, basis),
            mapping=self._decided(maker) if maker is not None and maker.undoes is None else (),
            history=history,
            over=line is not None and not line.live(teller.today),
            month=month,
            notes=(*self._notes(addition_id, line, history), *self._elsewhere(addition_id, key, maker)),
        )

    def peoples(self, line: Addition) -> LineStory:
        """Tell a line that people made, with what Sophos reports for its agreement and item."""
        basis = self._unbilled_basis(line.key)
        ours = [
            str(each.id)
            for each in self.teller.stored.values()
            if each.key == line.key and not each.closed and each.ended is None
        ]
        written = [each for each in self.teller.changes(line.key) if each.outcome == "done"]
        last = next((each for each in reversed(written) if each.addition_id == line.id), None)
        notes = ["People made this line; no run has ever written to it."]
        if last is not None:
            notes = [
                f"People's line: run {last.run} wrote to it last ({last.because}), and it is theirs now."
            ]
        if ours:
            notes.append(f"Our line of the same item beside it: addition {', '.join(ours)}.")
        if basis is None:
            notes.append("mappings.yaml sends no usage to its agreement and item.")
        return LineStory(
            addition_id=line.id,
            key=line.key,
            **self._named(line.key),
            mark=line.serial_number,
            ours=False,
            connectwise=line,
            gone=False,
            ended=False,
            written=None,
            **self._fed(line.key, basis),
            mapping=(),
            history=self.teller.history(line.id, line.key) if last is not None else (),
            notes=tuple(notes),
            over=not line.live(self.teller.today),
        )

    def _fed(self, key: Key, basis: Basis | None) -> dict[str, Any]:
        """Return what a line's usage comes to, and what would become of it now."""
        parts = basis.parts if basis is not None else ()
        mappings = basis.then.mappings if basis is not None else self.teller.now.mappings
        return {
            "usage": desired_of(mappings, parts).quantity if basis is not None else None,
            "sum": sum_told(parts, mappings, self.teller.names),
            "origin": basis.origin if basis is not None else None,
            "billed": basis is not None and basis.billed,
            "run": basis.run if basis is not None else None,
            "adds_up": basis is None or basis.adds_up,
            "parts": self.teller.fed(basis) if basis is not None else (),
            "now": self.now.outlook(key, parts) if self.now is not None else None,
        }

    def _unbilled_basis(self, key: Key) -> Basis | None:
        """Return what feeds a key by the map of today, where no run has billed it from that usage."""
        if self.now is not None and self.newest:
            parts = self.now.desired(key)
        else:
            parts = self.teller.parts_now(key, self.base.number, self.teller.now)
        return Basis(parts, self.teller.origin(self.base), self.teller.now) if parts else None

    def _notes(self, addition_id: int, line: Addition | None, history: tuple[Event, ...]) -> Iterator[str]:
        """Say what is special about a line of ours."""
        stored = self.teller.stored.get(addition_id)
        if stored is None:
            yield "It carries our mark, and this state folder knows no run that wrote it."
            yield from (
                f"Run {each.run} asked for it, or for one like it, and never saw the answer."
                for each in history
                if each.outcome in {"sending", "unclear"}
            )
            return
        if not self.teller.past(addition_id, stored.key).begun:
            first = history[0].run if history else stored.run
            yield f"Run {first} knew it by its mark; what was before is not in this state folder."
        if stored.ended is not None:
            yield f"A run ended it on {stored.ended}."
        if stored.closed:
            yield "It is history: another line bills the item now."
        if line is None:
            if self.now is not None and self.now.gone(addition_id, stored.key):
                yield "It is gone from ConnectWise."
            return
        if line.key != stored.key:
            yield "Somebody gave it another product in ConnectWise."
        if line.quantity != stored.quantity and not stored.closed:
            yield (
                f"Somebody changed it in ConnectWise: {plain(stored.quantity)} was written, "
                f"{plain(line.quantity)} is there now."
            )
        if line.cancelled is not None and stored.ended is None:
            yield f"Somebody gave it an end date in ConnectWise: {line.cancelled}."

    def _decided(self, maker: Event) -> tuple[MapLine, ...]:
        """Return the lines of the map that decided what a run did."""
        then = self.teller.map_of(self.teller.run(maker.run))
        return kind_lines(maker.kind, then, self.teller.now)

    def _elsewhere(self, addition_id: int, key: Key, maker: Event | None) -> Iterator[str]:
        """Say for whom firewalls count that fed a line until its last change."""
        teller = self.teller
        change = next(
            (
                each
                for each in teller.changes(key)
                if maker is not None and each.run == maker.run and each.addition_id == addition_id
            ),
            None,
        )
        usage = teller.run(change.run).usage if change is not None else None
        if change is None or usage is None:
            return
        left = {serial for part in change.was for serial in part.serials}
        left -= {serial for part in change.parts for serial in part.serials}
        finder = teller.finder(teller.map_of(teller.run(change.run)).mappings)
        for _, row in teller.rows(usage):
            if row.serial in left and row.account_id is None:
                left.discard(row.serial)
                owner = finder.tenant_of(row)
                whose = tenant_label(owner, teller.names) if owner is not None else "nobody that is known"
                yield f"Firewall {row.serial}, which it billed before, counts for {whose}."

    def _named(self, key: Key) -> dict[str, Any]:
        """Name a key's company, agreement and item; where nobody knows them, by their ids."""
        teller = self.teller
        directory = (
            self.now.directory
            if self.now is not None
            else remembered_directory(teller.ledger, teller.now.mappings, teller.today)
        )
        agreement = directory.agreements.get(key.agreement_id)
        items = self.now.items if self.now is not None else directory.items
        item = items.get(key.item_id)
        sold = item.identifier if item is not None else f"item {key.item_id}"
        if agreement is not None:
            company = directory.companies.get(agreement.company_id)
            named = company.identifier if company is not None else agreement.company
            return {"company": named, "agreement": agreement.name, "item": sold}
        for change in reversed(teller.changes(key)):
            shown = document_of(teller.ledger, teller.run(change.run).digest).get("changes", ())
            for each in shown:
                if (each["agreement_id"], each["item_id"]) == key:
                    return {name: each[name] for name in ("company", "agreement", "item")}
        return {"company": "", "agreement": "", "item": sold}
