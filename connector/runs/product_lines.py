"""The live lines that products are billed on, read from ConnectWise for people."""

from collections.abc import Collection, Iterable, Mapping

from connector.ledger import Ledger
from connector.model import Addition, Mappings
from connector.planning.aftermath import ItemLine
from connector.planning.change import KnownAddition, carries_mark
from connector.planning.directory import Directory
from connector.planning.resolve import Placer
from connector.runs.additions import Additions
from connector.runs.reading import agreements_that_matter, read_additions
from connector.runs.story import Story


def agreements_of(mappings: Mappings, directory: Directory, ledger: Ledger) -> set[int]:
    """Return the agreements that a run would read."""
    return Placer(mappings, directory).agreement_ids() | agreements_that_matter(ledger)


def live_lines(
    connectwise: Additions,
    directory: Directory,
    known: Mapping[int, KnownAddition],
    agreement_ids: Iterable[int],
    story: Story,
) -> tuple[ItemLine, ...]:
    """Return every line that bills today on these agreements, by company, agreement and id."""
    wanted = set(agreement_ids) & directory.agreements.keys()
    read = read_additions(connectwise, wanted, story) if wanted else {}
    found = [
        _line(addition, directory, known)
        for additions in read.values()
        for addition in additions
        if addition.live(directory.today)
    ]
    return tuple(sorted(found, key=lambda line: (line.company, line.agreement, line.addition.id)))


def chosen(lines: Iterable[ItemLine], addition_ids: Collection[int]) -> tuple[ItemLine, ...]:
    """Return those of these ids that bill anything."""
    return tuple(line for line in lines if line.addition.id in addition_ids and line.addition.quantity > 0)


def _line(addition: Addition, directory: Directory, known: Mapping[int, KnownAddition]) -> ItemLine:
    agreement = directory.agreements[addition.agreement_id]
    company = directory.companies.get(agreement.company_id)
    item = directory.items.get(addition.item_id)
    remembered = known.get(addition.id)
    return ItemLine(
        addition=addition,
        item=item.identifier if item is not None else f"item {addition.item_id}",
        agreement=agreement.name,
        company=company.identifier if company is not None else agreement.company,
        managed=(remembered is not None and remembered.key == addition.key) or carries_mark(addition),
    )
