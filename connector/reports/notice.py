"""The words of a message to people who do not watch: a short title and plain text, no markup in it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from connector.planning.causes.cause import Cause
from connector.planning.causes.charges import Charge
from connector.planning.causes.news import News, Told
from connector.planning.change import plain
from connector.planning.prices import Money, totals
from connector.planning.references import shell_word
from connector.reports.escape import printable
from connector.reports.outcome import Run

MOST_CAUSES = 10
_LONGEST_LINE = 600
_LONGEST_TITLE = 100
_LONGEST_NAME = 40
_MENTION = re.compile(r"@(?=(?:everyone|channel|here|all|team)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose bills a message is about: the profile where there is one, else the company of ConnectWise."""

    company: str = ""
    profile: str = ""

    @property
    def title(self) -> str:
        """How each title begins."""
        name = plainly(self.profile or self.company, _LONGEST_NAME)
        return f"Sophos billing of {name}" if name else "Sophos billing"

    def command(self, line: str) -> str:
        """Return a command of ours as it is to be typed."""
        if not self.profile:
            return line
        between = "=" if self.profile.startswith("-") else " "
        named = f"connector --profile{between}{shell_word(self.profile, 'NAME')} "
        return named + line.removeprefix("connector ")


NOBODY = Whose()


def news_title(news: News, whose: Whose = NOBODY) -> str:
    """Say in one line how much there is to see to."""
    causes = news.to_tell
    if len(causes) == 1:
        return plainly(f"{whose.title}: {causes[0].code}, {causes[0].label}", _LONGEST_TITLE)
    return f"{whose.title}: {len(causes)} things need you"


def news_text(news: News, runs: Iterable[Run], settled: Sequence[Told], whose: Whose = NOBODY) -> str:
    """Say what needs a person, how much money it is about, and the next command for each."""
    paragraphs = [_opening(whose), "\n".join(run_lines(runs))]
    shown = news.to_tell[:MOST_CAUSES]
    changed = {cause.id for cause in news.changed}
    paragraphs += [_cause_text(cause, whose, again=cause.id in changed) for cause in shown]
    more = len(news.to_tell) - len(shown)
    if more:
        paragraphs.append(f"and {more} more: {whose.command('connector diagnose')}")
    paragraphs += [_open_line(len(news.same), whose), settled_line(settled)]
    return "\n\n".join(text for text in paragraphs if text)


def success_title(runs: Sequence[Run], whose: Whose = NOBODY) -> str:
    """Say in one line which months went well."""
    return f"{whose.title}: {' and '.join(dict.fromkeys(str(run.plan.period) for run in runs))} is billed"


def success_text(
    runs: Iterable[Run], settled: Sequence[Told], whose: Whose = NOBODY, *, still_open: int = 0
) -> str:
    """Say what was billed, in a line for each month."""
    paragraphs = (
        _opening(whose),
        "\n".join(run_lines(runs)),
        _open_line(still_open, whose),
        settled_line(settled),
    )
    return "\n\n".join(text for text in paragraphs if text)


def run_lines(runs: Iterable[Run]) -> Iterator[str]:
    """Yield one line for each run: the month, what was made of it, and the money that it moved."""
    for run in runs:
        done = [result.change for result in run.results if result.outcome == "done"]
        left = sum(result.outcome not in {"done", "held"} for result in run.results)
        told = [f"{len(done)} {'change' if len(done) == 1 else 'changes'} made"]
        told += [f"{left} not made"] if left else []
        told += [f"{len(run.plan.held)} held"] if run.plan.held else []
        told += [f"{len(run.plan.unresolved)} unresolved"] if run.plan.unresolved else []
        moved = [money for money in totals(change.money for change in done) if money.amount]
        money = f"; bills change by {_amounts(moved, signed=True)}" if moved else ""
        yield f"{run.plan.period}: {', '.join(told)}{money}."


def settled_line(settled: Sequence[Told]) -> str:
    """Name what people were told of and is gone; "" for nothing."""
    if not settled:
        return ""
    named = [plainly(f"{each.code} {each.label}", 80) for each in settled[:MOST_CAUSES]]
    if len(settled) > MOST_CAUSES:
        named.append(f"{len(settled) - MOST_CAUSES} more")
    return f"Settled: {'; '.join(named)}."


def ticket_summary(cause: Cause, whose: Whose = NOBODY) -> str:
    """Return a ticket's summary: ConnectWise takes 100 characters."""
    return plainly(f"{whose.title}: {cause.code}, {cause.label}", _LONGEST_TITLE)


def ticket_text(cause: Cause, whose: Whose = NOBODY) -> str:
    """Return what a ticket says of its cause, and a note when that has changed."""
    return _cause_text(cause, whose, again=False)


def passed_text(known: Told) -> str:
    """Return what the ticket of a month is closed with that a newer one went before."""
    return (
        f"This is not settled: a newer month is billed, so no run bills what is missing of {known.period} "
        "any more. It stays unbilled unless somebody bills it by hand."
    )


def closed_text(known: Told) -> str:
    """Return what the ticket of a restated month is closed with once it lies too far back."""
    return f"Nobody looks at {known.period} any more: it stays as it was billed."


def charge_text(charge: Charge) -> str:
    """Say how much money a cause is about; "" where that is none or has been said."""
    if not charge.money:
        return "" if charge.whole else "How much money it is about is not known."
    least = "" if charge.whole else "at least "
    return f"Money: {least}{_amounts(charge.money)}."


def plainly(text: str, width: int = _LONGEST_LINE) -> str:
    """Return foreign text on one line, with nothing that a mail or chat program would take for markup."""
    line = printable(" ".join(text.split()))
    line = line.replace("<", "(").replace(">", ")").replace("](", "] (")
    return printable(_MENTION.sub("@ ", line), width=width)


def _opening(whose: Whose) -> str:
    return whose.title if whose != NOBODY else ""


def _open_line(count: int, whose: Whose) -> str:
    command = whose.command("connector diagnose")
    return f"{count} told before and still open: {command}" if count else ""


def _cause_text(cause: Cause, whose: Whose, *, again: bool) -> str:
    told = [
        f"{'Changed: ' if again else ''}{cause.code}: {plainly(cause.message)}",
        charge_text(cause.charge),
    ]
    if cause.advice:
        told.append(f"First: {plainly(cause.advice)}")
    told.append(f"Next: {plainly(whose.command(cause.next))}")
    return "\n".join(line for line in told if line)


def _amounts(money: Iterable[Money], *, signed: bool = False) -> str:
    told = []
    for each in money:
        sign = "+" if signed and each.amount > 0 else ""
        told.append(f"{sign}{plain(each.amount)} {plainly(each.currency, 10)}".strip())
    return " and ".join(told)
