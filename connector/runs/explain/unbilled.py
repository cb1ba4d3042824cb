"""Usage that no run bills: off, unmapped, held or not written yet; why, and what to type next."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from connector.ledger.lineage import document_of, failed_rows, remembered_directory
from connector.model import Key, UsageRow
from connector.planning.directory import Unplaced, folded
from connector.planning.explanation import LineStory, MapLine, PlacedRow, Unbilled
from connector.planning.findings import Part
from connector.planning.references import shell_word
from connector.planning.resolve import UNMAPPED, Off, Placer
from connector.planning.snapshots import Snapshot
from connector.planning.sources import FILE, source_option
from connector.runs.explain.lines import LineTeller
from connector.runs.explain.map import (
    NO_ITEM,
    OFF_EXCEPTION,
    OFF_PRODUCT,
    OFF_TENANT,
    MapThen,
    off_line,
    part_lines,
)
from connector.runs.explain.next import held_step, off_step, unplaced_step, unresolved_step
from connector.runs.explain.now import Now
from connector.runs.explain.subject import Subject

_OFF = {
    OFF_TENANT: "the tenant off",
    OFF_EXCEPTION: "it off for this tenant",
    OFF_PRODUCT: "the product off",
    NO_ITEM: "no item for the product, which turns it off",
}
_Rows = list[tuple[int, UsageRow]]


class _Why(NamedTuple):
    """Why usage is not billed: a code, in words, and the command to type next."""

    code: str
    message: str
    command: str
    still: int | None = None


@dataclass(frozen=True, slots=True)
class Lacking:
    """Finds what of a month is not billed; `now` is None where ConnectWise was not looked at."""

    subject: Subject
    teller: LineTeller
    base: Snapshot
    newest: bool
    lines: Collection[LineStory]
    now: Now | None

    def find(self) -> tuple[Unbilled, ...]:
        """Return the subject's usage that no run bills, by tenant and product code."""
        then = self._map()
        placer = self._placer(then)
        finder = self.teller.finder(then.mappings)
        pairs: dict[tuple[str, str], _Rows] = defaultdict(list)
        orphans: dict[str, _Rows] = defaultdict(list)
        for number, row in self.teller.rows(self.base.number):
            tenant_id = finder.tenant_of(row)
            if tenant_id is not None:
                pairs[tenant_id, row.product_code].append((number, row))
            elif row.serial is not None and row.serial == self.subject.serial:
                orphans[row.product_code].append((number, row))
        found = [
            entry
            for (tenant_id, code), rows in sorted(pairs.items())
            for part in (_part(tenant_id, code, rows),)
            if self.subject.asks(part)
            for entry in (self._judged(part, rows, placer, then),)
            if entry is not None
        ]
        found += [self._orphan(code, rows) for code, rows in sorted(orphans.items())]
        return (*found, *self._failed())

    def _map(self) -> MapThen:
        """Return the map that decides: today's for the newest month, else the one that was used then."""
        if not self.newest:
            for run in reversed(self.teller.runs):
                if run.usage == self.base.number:
                    return self.teller.map_of(run)
        return self.teller.now

    def _placer(self, then: MapThen) -> Placer:
        if self.now is not None and then is self.teller.now:
            return self.now.inputs.placer
        directory = remembered_directory(self.teller.ledger, then.mappings, self.teller.today)
        return Placer(then.mappings, directory)

    def _judged(self, part: Part, rows: _Rows, placer: Placer, then: MapThen) -> Unbilled | None:
        place = placer.place(*part.pair)
        if isinstance(place, Unplaced):
            return self._unplaced(part, rows, place, then)
        if part.quantity == 0:
            return None
        if isinstance(place, Off):
            line = off_line(*part.pair, then, self.teller.now)
            what = line.what if line is not None else ""
            message = f"mappings.yaml has {_OFF.get(what, 'it off')}"
            still = self._still(part, placer)
            if still is not None:
                message += f"; billed by addition {still}, which no run touches any more"
            why = _Why("OFF", message, off_step(what, *part.pair), still)
            return self._entry(why, part, rows, (line,) if line is not None else (), then)
        return self._not_written(part, rows, place, then)

    def _unplaced(self, part: Part, rows: _Rows, place: Unplaced, then: MapThen) -> Unbilled:
        code, message = place.code, place.message
        if self.now is None and code not in UNMAPPED:
            code, message = "NOT_CHECKED", "no run has found what mappings.yaml names for it in ConnectWise"
        if code in UNMAPPED:
            lines: tuple[MapLine, ...] = (MapLine("", then.file, None, message),)
        else:
            lines = part_lines(part, then, self.teller.now)
        command = unplaced_step(code, *part.pair, None, str(self.base.period))
        return self._entry(_Why(code, message, command), part, rows, lines, then)

    def _not_written(self, part: Part, rows: _Rows, key: Key, then: MapThen) -> Unbilled | None:
        """Say why nothing is written for usage that has a place, or None where a line of ours bills it."""
        lines = part_lines(part, then, self.teller.now)
        plan = self.now.plan if self.now is not None and self.newest else None
        if any(line.ours and line.key == key and self._bills(line) for line in self.lines):
            return None
        for entry in plan.unresolved if plan is not None else ():
            if entry.key == key and not entry.billed and plan is not None:
                command = unresolved_step(entry, plan)
                return self._entry(_Why(entry.code, entry.message, command), part, rows, lines, then)
        for change in plan.changes if plan is not None else ():
            if change.key == key and change.held is not None and plan is not None:
                message = f"held until a person decides: {change.because}"
                command = held_step(change.held, plan)
                return self._entry(_Why(change.held, message, command), part, rows, lines, then)
            if change.key == key and plan is not None:
                message = f"a run would {change.kind} a line for it: {change.because}"
                return self._entry(_Why("NOT_WRITTEN", message, plan.sync), part, rows, lines, then)
        for told in self._told(key):
            command = unplaced_step(told["code"], *part.pair, None, str(self.base.period))
            return self._entry(_Why(told["code"], told["message"], command), part, rows, lines, then)
        stored = any(line.key == key and not line.closed for line in self.teller.stored.values())
        if stored and self.now is None:
            return None
        return self._entry(self._unwritten(key), part, rows, lines, then)

    def _unwritten(self, key: Key) -> _Why:
        month = f"{self.base.period}{source_option(self.base.source)}"
        if self.newest:
            return _Why("NOT_WRITTEN", "no run has written a line for it yet", f"connector sync {month}")
        billed = any(run.usage == self.base.number for run in self.teller.runs)
        said = f"no run of this state folder has {'written a line for it' if billed else 'billed this month'}"
        for event in (event for line in self.lines if line.key == key for event in line.history):
            undone = self.teller.run(event.undoes) if event.undoes is not None and event.made else None
            if undone is not None and undone.period == self.base.period:
                said = f"run {event.run} took back what run {undone.number} had written for it"
        return _Why("NOT_WRITTEN", said, f"connector plan {month}")

    def _bills(self, line: LineStory) -> bool:
        """Whether a line of ours bills the month: it did then; for the newest, it is there and has no end."""
        if not self.newest:
            return line.billed and line.origin is not None and line.origin.period == self.base.period
        there = line.connectwise
        moved = there is not None and (not there.live(self.teller.today) or there.key != line.key)
        return not (line.gone or line.ended or moved)

    def _still(self, part: Part, placer: Placer) -> int | None:
        """Return the line of ours that still bills usage which is off, with nothing else on it."""
        for line in self.lines:
            stored = self.teller.stored.get(line.addition_id)
            pairs = {each.pair for each in stored.parts} if stored is not None else set()
            off = all(isinstance(placer.place(*pair), Off) for pair in pairs)
            if line.ours and part.pair in pairs and off and line.quantity and self._stays(line):
                return line.addition_id
        return None

    def _stays(self, line: LineStory) -> bool:
        """Whether a line goes on as it is: today, or by the run of the older month."""
        if self.newest:
            return self._bills(line)
        return any(event.kind == "left" and event.month == self.base.period for event in line.history)

    def _told(self, key: Key) -> Iterator[Mapping[str, Any]]:
        """Yield what the last run of an older month could not place, or held, of a key."""
        run = next((each for each in reversed(self.teller.runs) if each.usage == self.base.number), None)
        if self.newest or run is None:
            return
        document = document_of(self.teller.ledger, run.digest)
        for entry in document.get("unresolved", ()):
            if (entry["agreement_id"], entry["item_id"]) == key:
                yield entry
        for change in document.get("changes", ()):
            if (change["agreement_id"], change["item_id"]) == key and change["held"] is not None:
                yield {"code": change["held"], "message": f"held: {change['because']}"}

    def _orphan(self, code: str, rows: _Rows) -> Unbilled:
        serial = self.subject.serial
        return Unbilled(
            code="FIREWALL_UNASSIGNED",
            tenant_id=None,
            tenant="",
            product_code=code,
            serial=serial,
            quantity=sum((row.quantity for _, row in rows), Decimal(0)),
            message="Sophos does not say whose it is, and `firewalls:` of mappings.yaml does not, either; "
            f"to place it: connector firewalls assign {shell_word(serial or '', 'SERIAL')} TENANT",
            next=unplaced_step("FIREWALL_UNASSIGNED", None, code, serial, str(self.base.period)),
            rows=tuple(PlacedRow(number, row) for number, row in rows),
            mapping=(MapLine("firewall", self.teller.now.file, None, "no line of `firewalls:` names it"),),
        )

    def _failed(self) -> Iterator[Unbilled]:
        """Yield the rows of a file that could not be imported and seem to be the subject's."""
        if self.base.source != FILE:
            return
        names = {folded(self.teller.names.get(each, each)) for each in self.subject.tenants}
        for row in failed_rows(self.teller.ledger, self.base.number):
            cells = {str(cell).strip().upper() for cell in json.loads(row.received).values()}
            its = folded(row.tenant) in names or self.subject.serial in cells
            if its and self.subject.product in {None, row.product_code}:
                yield Unbilled(
                    code=row.code,
                    tenant_id=None,
                    tenant=row.tenant,
                    product_code=row.product_code,
                    serial=None,
                    quantity=row.quantity,
                    message=f"row {row.number} of {self.base.file} was not imported: {row.reason}",
                    next=f"connector usage import {shell_word(self.base.file or '', 'FILE')}",
                )

    def _entry(
        self, why: _Why, part: Part, rows: _Rows, lines: tuple[MapLine, ...], then: MapThen
    ) -> Unbilled:
        origin = self.teller.origin(self.base)
        return Unbilled(
            code=why.code,
            tenant_id=part.tenant_id,
            tenant=self.teller.names.get(part.tenant_id, ""),
            product_code=part.product_code,
            serial=self.subject.serial,
            quantity=part.quantity,
            message=why.message,
            next=why.command,
            still=why.still,
            rows=tuple(self.teller.placed(*each, part.tenant_id, origin, then) for each in rows),
            mapping=lines,
        )


def _part(tenant_id: str, code: str, rows: _Rows) -> Part:
    serials = tuple(sorted({row.serial for _, row in rows if row.serial is not None}))
    return Part(tenant_id, code, sum((row.quantity for _, row in rows), Decimal(0)), serials)
