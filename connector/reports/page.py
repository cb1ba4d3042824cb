"""A month's report as one HTML page that needs nothing else: no network, no script, no other file."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from connector.model import Period
from connector.planning.change import plain
from connector.planning.month_report import MonthReport, at_stake, differing_first, direction_of, stakes
from connector.planning.month_trends import MonthSums
from connector.planning.prices import Money
from connector.planning.product_names import product_name
from connector.planning.sources import told_source
from connector.reports.charts import bars, percent
from connector.reports.classes import DIRECTION_WORDS, OUTCOME_WORDS, class_words
from connector.reports.escape import printable
from connector.reports.period import month_text

FIRST_ITEMS, MOST_ITEMS = 12, 300
MOST_KEYS, MOST_CHANGES, MOST_FIREWALLS = 400, 100, 100
MOST_MOVERS, MOST_TRENDS = 15, 24

_LONGEST_NAME = 160
_LONGEST_TEXT = 800


def page_html(report: MonthReport) -> str:
    """Return the page; what a vendor or a file said is text there, whatever it looks like."""
    diagnosis = report.diagnosis
    at_work = stakes(diagnosis)
    models = {each.firewall.serial: each.firewall.model for each in report.firewalls}
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            coverage=diagnosis.coverage,
            source=told_source(diagnosis.source),
            at_stake=at_stake(diagnosis),
            stakes=at_work,
            currencies=sorted({money.currency for stake in at_work for money in stake.money}),
            for_people=report.for_people,
            to_know=report.to_know,
            keys=differing_first(diagnosis),
            distributor=any(each.distributor is not None for each in diagnosis.numbers),
            unassigned=[item for item in diagnosis.items if item.code == "FIREWALL_UNASSIGNED"],
            models=models,
            costs=cost_trends(report.months),
        )
    )


def cost_trends(
    months: Sequence[tuple[Period, MonthSums | None]],
) -> tuple[tuple[str, tuple[Decimal | None, ...]], ...]:
    """Return what each month cost altogether, currency by currency; None for a month that is not stored."""
    sums = [
        None if each is None else {money.currency: money.amount for money in each.cost} for _, each in months
    ]
    currencies = sorted({currency for each in sums if each is not None for currency in each})
    return tuple(
        (currency, tuple(None if each is None else each.get(currency, Decimal(0)) for each in sums))
        for currency in currencies
    )


def number_text(number: Decimal | int | None) -> str:
    """Write a number for people, all its digits, thousands apart; a dash for none."""
    if number is None:
        return "\u2013"
    whole, point, places = plain(Decimal(number)).partition(".")
    return f"{Decimal(whole):,f}{point}{places}"


def amount_text(amount: Decimal | None) -> str:
    """Write money without its currency: two places at least, as many as are there."""
    if amount is None:
        return number_text(None)
    whole, _, places = plain(amount).partition(".")
    return f"{Decimal(whole):,f}.{places:0<2}"


def money_text(money: Money) -> str:
    """Write money with its currency, which stays on the same line."""
    return f"{amount_text(money.amount)}\u00a0{money.currency}".rstrip()


def moment_text(stamp: str) -> str:
    """Write a time of the ledger, which is UTC, as people do."""
    return f"{stamp[:16].replace('T', ' ')} UTC"


def signed_text(money: Money) -> str:
    """Write by how much money moves, its sign in front."""
    sign = "+" if money.amount > 0 else "\u2212" if money.amount < 0 else ""
    return f"{sign}{money_text(Money(abs(money.amount), money.currency))}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("connector.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": number_text,
        "amount": amount_text,
        "money": money_text,
        "moment": moment_text,
        "signed": lambda sums: ", ".join(map(signed_text, sums)),
        "month": month_text,
        "told": _told,
        "whole": _whole,
        "count": count_text,
        "class_words": class_words,
        "direction": direction_of,
        "product_name": product_name,
    }
    made.globals |= {
        "bars": bars,
        "percent": percent,
        "DIRECTIONS": DIRECTION_WORDS,
        "OUTCOMES": OUTCOME_WORDS,
        "FIRST_ITEMS": FIRST_ITEMS,
        "MOST_ITEMS": MOST_ITEMS,
        "MOST_KEYS": MOST_KEYS,
        "MOST_CHANGES": MOST_CHANGES,
        "MOST_FIREWALLS": MOST_FIREWALLS,
        "MOST_MOVERS": MOST_MOVERS,
        "MOST_TRENDS": MOST_TRENDS,
    }
    return made


def count_text(many: int, one: str, more: str = "") -> str:
    """Write how many there are of something: `1 item`, `2,300 items`."""
    return f"{number_text(many)} {one if many == 1 else more or one + 's'}"


def _harmless(value: object) -> object:
    """Make whatever the template prints visible text of a bearable length; only markup of ours stays."""
    return value if isinstance(value, Markup) else _cut(str(value), _LONGEST_NAME)


def _told(text: str) -> Markup:
    """Return a sentence, which may be longer than a name."""
    return escape(_cut(text, _LONGEST_TEXT))


def _whole(text: str) -> Markup:
    """Return a command to the last character: one that was cut would do something else."""
    return escape(printable(text))


def _cut(text: str, width: int) -> str:
    if len(text) <= width and text.isascii() and text.isprintable():
        return text
    return printable(text, width=width)
