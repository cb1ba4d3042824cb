"""How one line of ConnectWise came to its quantity: its history, the usage behind it, the map's lines."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from connector.errors import MappingsFault
from connector.ledger import Ledger
from connector.ledger.lineage import (
    ChangeMade,
    RunMade,
    StoredLine,
    changes_of,
    document_of,
    firewalls_seen,
    lines_stored,
    map_used,
    numbered_rows,
    remembered_directory,
    runs_applied,
    tenants_seen,
)
from connector.ledger.months import every_snapshot
from connector.mappings.file import MappingsFile
from connector.mappings.load import parse_mappings
from connector.mappings.places import Places
from connector.model import Firewall, Key, Mappings, Period, UsageRow
from connector.planning.explanation import (
    Event,
    Fed,
    Origin,
    PlacedRow,
    add_up,
    first_that_adds_up,
    placed_by,
    rows_of_part,
    told_history,
)
from connector.planning.findings import Desired, Part
from connector.planning.resolve import Placer, resolve
from connector.planning.snapshots import Snapshot
from connector.planning.tenant_finder import TenantFinder
from connector.runs.explain.history import Past, left_because
from connector.runs.explain.map import MapThen, customer_line, firewall_line, part_lines


@dataclass(frozen=True, slots=True)
class Basis:
    """The usage that a line's quantity was made of, and the run that billed it, if one has.

    `adds_up` says whether it comes to that quantity.
    """

    parts: tuple[Part, ...]
    origin: Origin
    then: MapThen
    run: int | None = None
    adds_up: bool = True

    @property
    def billed(self) -> bool:
        """Whether a run has billed it."""
        return self.run is not None


class LineTeller:
    """Tells lines from the ledger alone; what it reads once, it keeps."""

    def __init__(self, ledger: Ledger, file: MappingsFile, today: date) -> None:
        """`file` is the map of today."""
        self.ledger = ledger
        self.today = today
        self.runs = runs_applied(ledger)
        self.stored = lines_stored(ledger)
        self.snapshots = {each.number: each for each in every_snapshot(ledger)}
        self.tenants = tenants_seen(ledger)
        self.now = MapThen(file.path.name, file.mappings, Places(file.data))
        self._firewalls = firewalls_seen(ledger)
        self.serials = frozenset(each.serial for each in self._firewalls)
        self._by_serial: dict[str, list[Firewall]] = defaultdict(list)
        for firewall in self._firewalls:
            self._by_serial[firewall.serial].append(firewall)
        self._maps: dict[str | None, MapThen] = {None: self.now}
        self._rows: dict[int, tuple[tuple[int, UsageRow], ...]] = {}
        self._changes: dict[Key, tuple[ChangeMade, ...]] = {}
        self._resolved: dict[tuple[int, int | None], Mapping[Key, Desired]] = {}

    @property
    def names(self) -> dict[str, str]:
        """What people call each tenant: Sophos's name, else that of the map."""
        names = {key: entry.name for key, entry in self.now.mappings.tenants.items() if entry.name}
        return names | {tenant.id: tenant.name for tenant in self.tenants if tenant.name}

    def rows(self, snapshot: int) -> tuple[tuple[int, UsageRow], ...]:
        """Return the rows of a snapshot with their numbers."""
        if snapshot not in self._rows:
            self._rows[snapshot] = numbered_rows(self.ledger, snapshot)
        return self._rows[snapshot]

    def changes(self, key: Key) -> tuple[ChangeMade, ...]:
        """Return every change of a key that was written down."""
        if key not in self._changes:
            self._changes[key] = changes_of(self.ledger, (key,))
        return self._changes[key]

    def run(self, number: int) -> RunMade:
        """Return a run that applied."""
        return next(each for each in self.runs if each.number == number)

    def map_of(self, run: RunMade) -> MapThen:
        """Return the map that a run used; today's where that text is not kept, or is at fault by now."""
        if run.map not in self._maps:
            text = map_used(self.ledger, run.map)
            used = self.now
            if text is not None:
                data = text.encode()
                try:
                    used = MapThen(
                        self.now.file, parse_mappings(data, self.now.file), Places(data), run.number
                    )
                except MappingsFault:
                    used = self.now
            self._maps[run.map] = used
        return self._maps[run.map]

    def finder(self, mappings: Mappings) -> TenantFinder:
        """Return what finds whose a row is, with firewalls as Sophos listed them last."""
        known = {tenant.id for tenant in self.tenants} | mappings.tenants.keys()
        return TenantFinder(known, mappings.firewalls, self._firewalls)

    def origin(self, snapshot: Snapshot) -> Origin:
        """Return where rows come from."""
        return Origin(
            snapshot.period, snapshot.source, snapshot.number, snapshot.fetched_at, snapshot.file or None
        )

    # History -------------------------------------------------------------------------------------

    def past(self, addition_id: int, key: Key) -> Past:
        """Return all that is on record of a line."""
        newest = max((each.id for each in self.stored.values() if each.key == key), default=addition_id)
        alone = addition_id == newest
        return Past(addition_id, self.stored.get(addition_id), self.runs, self.changes(key), alone)

    def history(self, addition_id: int, key: Key) -> tuple[Event, ...]:
        """Return what the runs made of a line, month by month."""
        found = self.past(addition_id, key).events(lambda run: self._billed(run, addition_id, key))
        return tuple(
            self._judged(event, addition_id, key) if event.kind == "carried" else event
            for event in told_history(found)
        )

    def _judged(self, event: Event, addition_id: int, key: Key) -> Event:
        """Tell a line that a run left alone from one that billed the right quantity already."""
        why = left_because(document_of(self.ledger, event.digest), addition_id, key)
        return replace(event, kind="left", outcome="left alone", because=why) if why else event

    def _billed(self, run: RunMade, addition_id: int, key: Key) -> Desired | None:
        """Return what a run must have found on a line that it did not write to, None where nobody knows."""
        snapshot = self.snapshots.get(run.usage or 0)
        if snapshot is None or snapshot.pruned_at is not None:
            return None
        found = self._desired(snapshot.number, self.map_of(run)).get(key)
        if found is None or found.conflict or found.quantity <= 0:
            return None
        return None if left_because(document_of(self.ledger, run.digest), addition_id, key) else found

    # The usage behind a quantity -----------------------------------------------------------------

    def basis(
        self, addition_id: int, key: Key, events: Sequence[Event], period: Period | None
    ) -> Basis | None:
        """Return what a line's quantity was made of: in a month, else when it was billed last."""
        for event in reversed(events):
            right = event.made or event.kind == "carried"
            if right and period in {None, event.month}:
                return self._basis(addition_id, key, event)
        return None

    def _basis(self, addition_id: int, key: Key, event: Event) -> Basis | None:
        run = self.run(event.run)
        snapshot = self.snapshots.get(run.usage or 0)
        if snapshot is None or run.undoes is not None:
            return None
        then = self.map_of(run)
        rows, finder = self.rows(snapshot.number), self.finder(then.mappings)
        if event.kind == "carried":
            candidates = self._candidates(addition_id, key, run, then)
            parts, sure = first_that_adds_up(candidates, event.after, rows, finder, then.mappings)
        else:
            change = next(
                each
                for each in self.changes(key)
                if each.run == run.number and each.outcome == "done" and each.addition_id == addition_id
            )
            parts = change.parts
            sure = add_up(parts, change.after, rows, finder, then.mappings)
        return Basis(parts, self.origin(snapshot), then, run.number, adds_up=sure)

    def _candidates(
        self, addition_id: int, key: Key, run: RunMade, then: MapThen
    ) -> Iterator[tuple[Part, ...]]:
        """Yield who may have fed a line in a run that wrote nothing, the surest first."""
        stored: StoredLine | None = self.stored.get(addition_id)
        mine = [each for each in self.changes(key) if each.addition_id == addition_id]
        if stored is not None and stored.run == run.number:
            yield stored.parts
        yield from (each.was for each in mine if each.run > run.number)
        yield from (each.parts for each in reversed(mine) if each.run < run.number and each.outcome == "done")
        snapshot = run.usage or 0
        yield self.parts_now(key, snapshot, then)

    def parts_now(self, key: Key, snapshot: int, then: MapThen) -> tuple[Part, ...]:
        """Return who feeds a key from a snapshot by a map, as far as the ledger knows ConnectWise."""
        desired = self._desired(snapshot, then).get(key)
        return desired.parts if desired is not None else ()

    def _desired(self, snapshot: int, then: MapThen) -> Mapping[Key, Desired]:
        """Return what a snapshot comes to by a map."""
        asked = snapshot, then.run
        if asked not in self._resolved:
            placer = Placer(then.mappings, remembered_directory(self.ledger, then.mappings, self.today))
            rows = (row for _, row in self.rows(snapshot))
            self._resolved[asked] = resolve(rows, self.finder(then.mappings), placer, {}).desired
        return self._resolved[asked]

    def fed(self, basis: Basis) -> tuple[Fed, ...]:
        """Return the parts of a quantity with their rows and the lines of the map that decided."""
        return tuple(self.part(part, basis.origin, basis.then) for part in basis.parts)

    def part(self, part: Part, origin: Origin, then: MapThen) -> Fed:
        """Return one part with its rows and the lines of the map that decided."""
        rows = rows_of_part(part, self.rows(origin.snapshot), self.finder(then.mappings))
        return Fed(
            part=part,
            tenant=self.names.get(part.tenant_id, ""),
            rows=tuple(self.placed(*each, part.tenant_id, origin, then) for each in rows),
            mapping=part_lines(part, then, self.now),
        )

    def placed(self, number: int, row: UsageRow, tenant_id: str, origin: Origin, then: MapThen) -> PlacedRow:
        """Return a row with what placed it on its tenant."""
        by = placed_by(
            row,
            tenant_id,
            source=origin.source,
            mapped=then.mappings.firewalls,
            firewalls=self._by_serial,
        )
        line = None
        if by == "firewalls" and row.serial is not None:
            line = firewall_line(row.serial, then, self.now)
        elif by == "import":
            line = customer_line(row, then, self.now)
        return PlacedRow(number, row, by, line)
