"""What became of a change whose answer nobody saw, judged by what ConnectWise shows now (rule 21)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from connector.model import Addition
from connector.planning.change import OpenChange


@dataclass(frozen=True, slots=True)
class Settlement:
    """The verdict on an open change: `addition` is the line it made or changed, when it is done."""

    change_id: int
    outcome: Literal["done", "failed"]
    message: str
    addition: Addition | None = None


def settle(change: OpenChange, additions: Iterable[Addition]) -> Settlement:
    """Say whether a change was made, from a fresh read of its agreement.

    A create is done when exactly one line is there that was not there before and that shows all we asked
    for. What is not there is not repeated here: the next plan decides, on what it reads.
    """
    lines = tuple(additions)
    found = _created(change, lines) if change.kind == "create" else _changed(change, lines)
    if len(found) == 1:
        return Settlement(change.id, "done", f"found in ConnectWise as addition {found[0].id}", found[0])
    if not found:
        return Settlement(change.id, "failed", "ConnectWise does not show it, so it was not made")
    ids = ", ".join(str(line.id) for line in found)
    return Settlement(change.id, "failed", f"several new lines could be it (ids {ids}); a person must look")


def _created(change: OpenChange, lines: tuple[Addition, ...]) -> list[Addition]:
    new = [line for line in lines if line.key == change.key and line.id not in change.seen]
    if change.mark:
        return [line for line in new if change.mark in line.serial_number.split()]
    return [line for line in new if line.quantity == change.after and line.effective == change.effective]


def _changed(change: OpenChange, lines: tuple[Addition, ...]) -> list[Addition]:
    same = [line for line in lines if line.id == change.addition_id]
    if change.kind == "end":
        return [line for line in same if line.cancelled == change.effective]
    marked = [line for line in same if not change.mark or change.mark in line.serial_number.split()]
    return [line for line in marked if line.quantity == change.after]
