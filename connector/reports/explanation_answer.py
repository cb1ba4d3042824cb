"""What a line bills and why, in the one sentence that comes first."""

from connector.planning.change import plain
from connector.planning.explanation import Event, LineStory


def answer_of(line: LineStory) -> str:
    """Say in one sentence what a line bills and why."""
    whose = line.company or f"Agreement {line.key.agreement_id}"
    what = f"{line.item} (addition {line.addition_id})"
    if line.month is not None:
        told = _then(line, whose, what)
    elif line.gone:
        told = f"{whose} is not billed {what} any more: the line is gone from ConnectWise"
    else:
        told = f"{whose} {_billed(line, what)}: {_reason(line)}"
    return told if told.endswith(".") else f"{told}."


def moved(event: Event) -> str:
    """Say how a change moved the quantity."""
    before = "new" if event.before is None else plain(event.before)
    return f"{before} -> {plain(event.after) if event.after is not None else '?'}"


def _billed(line: LineStory, what: str) -> str:
    quantity = plain(line.quantity) if line.quantity is not None else "nothing"
    ended = line.connectwise.cancelled if line.connectwise is not None else None
    if ended is None:
        return f"is billed {quantity} {what}"
    begins = line.connectwise.effective if line.connectwise is not None else None
    if begins is not None and ended < begins:
        return f"is never billed {what}, which begins on {begins} and ends on {ended}"
    if line.over:
        return f"was billed {quantity} {what} until {ended}"
    return f"is billed {quantity} {what}, until {ended}"


def _then(line: LineStory, whose: str, what: str) -> str:
    """Say what a line billed in an older month."""
    ended = line.connectwise.cancelled if line.connectwise is not None else None
    if line.month is not None and ended is not None and ended < line.month.first_day:
        return f"{whose} was not billed {what} in {line.month}: the line had ended on {ended}"
    if line.quantity is not None:
        return f"{whose} was billed {plain(line.quantity)} {what} in {line.month}: {_reason(line)}"
    first = next((event for event in line.history if event.tells), None)
    if first is not None and first.kind == "create":
        return f"{whose} was not billed {what} in {line.month}: run {first.run} made it on {first.at[:10]}"
    return f"What {whose} was billed of {what} in {line.month} is not on record in this state folder"


def _reason(line: LineStory) -> str:
    maker = line.maker
    fitting = line.fitting
    if line.origin is not None and line.origin.period != line.month:
        fitting = f"{fitting} in {line.origin.period}"
    if not line.ours:
        reported = f"; usage comes to {plain(line.usage)} ({line.sum})" if line.usage is not None else ""
        return f"people made the line{reported}"
    if maker is None:
        if line.written is None:
            return "it carries our mark, but no run of this state folder has written it"
        known = "it is known by its mark, and no run of this state folder has written it"
        return f"{fitting}; {known}" if line.fitting else known
    if maker.kind == "end":
        return f"run {maker.run} ended it on {maker.at[:10]}; {maker.because}"
    wrote = f"run {maker.run} made it so on {maker.at[:10]} ({maker.kind} {moved(maker)})"
    if maker.undoes is not None:
        wrote = f"run {maker.run} took run {maker.undoes} back on {maker.at[:10]} ({moved(maker)})"
    if _changed_by_hand(line):
        written = plain(line.written) if line.written is not None else "?"
        return f"somebody changed it in ConnectWise; {written} was written; {wrote}"
    return f"{fitting}; {wrote}" if line.fitting else f"{maker.because}; {wrote}"


def _changed_by_hand(line: LineStory) -> bool:
    """Whether it bills today what nobody wrote; what became of a line that is history does not matter."""
    there = line.connectwise is not None and line.written is not None
    return there and line.month is None and not line.ended and line.quantity != line.written
