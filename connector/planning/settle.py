"""What became of a change whose answer nobody saw, judged by what ConnectWise shows now (rule 21)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from connector.model import Addition
from connector.planning.change import OpenChange, holds_mark, plain


@dataclass(frozen=True, slots=True)
class Settlement:
    """The verdict on an open change: `addition` is the line it made or changed.

    `done`: the line shows all that was asked for. `differs`: the line is ours, and shows something else.
    `missing`: nothing shows that the request was carried out, at least not yet.
    """

    outcome: Literal["done", "differs", "missing"]
    message: str
    addition: Addition | None = None


def settle(change: OpenChange, additions: Iterable[Addition], known: Collection[int] = ()) -> Settlement:
    """Say whether a change was made, from a fresh read of its agreement; `known` lines are other changes'.

    What a create made is found by its mark, or else as the one line that was not there before and bills
    what was asked for. What is missing is not repeated here: the next plan decides, on what it reads.
    """
    lines = tuple(additions)
    found = _created(change, lines, known) if change.kind == "create" else _same(change, lines)
    if len(found) > 1:
        ids = ", ".join(str(line.id) for line in found)
        return Settlement("missing", f"several new lines could be it (ids {ids}); a person must look")
    if not found:
        return Settlement("missing", "ConnectWise does not show it")
    (line,) = found
    if _as_asked(change, line):
        return Settlement("done", f"found in ConnectWise as addition {line.id}", line)
    message = f"addition {line.id} shows {plain(line.quantity)} from {line.effective}, not what was asked for"
    return Settlement("differs" if change.kind == "create" else "missing", message, line)


def _created(change: OpenChange, lines: tuple[Addition, ...], known: Collection[int]) -> list[Addition]:
    new = [line for line in lines if line.key == change.key and line.id not in change.seen]
    new = [line for line in new if line.id not in known]
    if change.mark:
        return [line for line in new if holds_mark(line.serial_number, change.mark)]
    return [line for line in new if _bills_as_asked(change, line)]


def _same(change: OpenChange, lines: tuple[Addition, ...]) -> list[Addition]:
    return [line for line in lines if line.id == change.addition_id]


def _as_asked(change: OpenChange, line: Addition) -> bool:
    if change.kind == "end":
        return line.cancelled == change.effective
    prices = ((line.unit_price, change.unit_price), (line.unit_cost, change.unit_cost))
    if any(asked is not None and shown != asked for shown, asked in prices):
        return False
    marked = not change.mark or holds_mark(line.serial_number, change.mark) != change.release
    return marked and _bills_as_asked(change, line)


def _bills_as_asked(change: OpenChange, line: Addition) -> bool:
    """Whether a line bills what was asked for, at whatever price: that may have been rounded."""
    if change.kind == "create" and line.effective != change.effective:
        return False
    return line.quantity == change.after
