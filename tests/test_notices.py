"""The words of a message: what, how much money, the next command; and nothing that could be markup."""

import re
from dataclasses import replace
from decimal import Decimal

from building import ALDER, BIRCH, Month

from connector.model import Period
from connector.planning.causes.cause import Cause
from connector.planning.causes.charges import Charge
from connector.planning.causes.news import News, Told
from connector.planning.prices import Money
from connector.reports.notice import (
    Whose,
    charge_text,
    closed_text,
    news_text,
    news_title,
    passed_text,
    plainly,
    run_lines,
    settled_line,
    success_text,
    success_title,
    ticket_summary,
    ticket_text,
)
from connector.reports.outcome import Result, Run

CAUSE = Cause(
    id="UNMAPPED_PRODUCT:NDR-MSP",
    code="UNMAPPED_PRODUCT",
    label="NDR-MSP",
    message="NDR-MSP is used by 2 tenants",
    next="connector products map NDR-MSP",
    fingerprint="f",
    seen="plan",
    period=Period(2026, 10),
    charge=Charge((Money(Decimal("4.20"), "USD"), Money(Decimal(3), "EUR")), whole=False),
    advice="ask whose it is",
)


def test_a_message_reads_what_how_much_and_what_to_type() -> None:
    assert news_text(News(new=(CAUSE,)), (), ()) == (
        "UNMAPPED_PRODUCT: NDR-MSP is used by 2 tenants\n"
        "Money: at least 4.2 USD and 3 EUR.\n"
        "First: ask whose it is\n"
        "Next: connector products map NDR-MSP"
    )
    assert news_title(News(new=(CAUSE,))) == "Sophos billing: UNMAPPED_PRODUCT, NDR-MSP"
    assert news_title(News(new=(CAUSE,), changed=(CAUSE,))) == "Sophos billing: 2 things need you"


def test_everything_says_whose_bills_it_is_about_and_each_command_names_the_profile() -> None:
    alone, profile = Whose("msp_f"), Whose("msp_f", "north & co")
    news = News(new=(CAUSE,) * 11, same=(CAUSE,))

    assert news_title(news, alone) == "Sophos billing of msp_f: 11 things need you"
    text = news_text(news, (), (), profile)
    assert text.startswith("Sophos billing of north & co\n\nUNMAPPED_PRODUCT: ")
    commands = re.findall(r"(connector .+?) (?:products|diagnose)", text)
    assert len(commands) == 12
    assert set(commands) == {profile.command("connector x").removesuffix(" x")}
    assert success_title((), profile).startswith("Sophos billing of north & co: ")
    said = success_text((), (), profile, still_open=2).splitlines()
    assert said[0] == "Sophos billing of north & co"
    assert said[-1].startswith("2 told before and still open: connector --profile ")
    assert ticket_summary(CAUSE, profile).startswith("Sophos billing of north & co: UNMAPPED_PRODUCT")
    assert "\nNext: connector --profile north products map" in ticket_text(CAUSE, Whose("m", "north"))
    assert Whose("m", "-x").command("connector plan") == 'connector --profile="-x" plan'
    assert Whose("m", "a b").command("connector plan") == 'connector --profile "a b" plan'


def test_a_ticket_that_is_closed_without_being_settled_says_why() -> None:
    known = Told("A:1", "A", "a", "f", "plan", Period(2026, 10))
    assert "no run bills what is missing of 2026-10 any more" in passed_text(known)
    assert closed_text(known) == "Nobody looks at 2026-10 any more: it stays as it was billed."


def test_money_that_is_not_known_is_not_nothing() -> None:
    assert charge_text(Charge()) == ""
    assert charge_text(Charge(whole=False)) == "How much money it is about is not known."
    assert charge_text(Charge((Money(Decimal(5), ""),))) == "Money: 5."


def test_what_is_settled_is_one_line_that_names_ten() -> None:
    told = [Told(f"A:{number}", "A", f"n{number}", "f", "plan") for number in range(12)]
    assert settled_line(told[:2]) == "Settled: A n0; A n1."
    assert settled_line(told).endswith("A n9; 2 more.")
    assert settled_line(()) == ""


def test_a_ticket_says_the_same_in_as_much_room_as_it_has() -> None:
    assert ticket_summary(replace(CAUSE, label="x" * 200)).endswith("x…")
    assert len(ticket_summary(replace(CAUSE, label="x" * 200))) == 100
    assert ticket_text(CAUSE) == news_text(News(new=(CAUSE,)), (), ())


def test_foreign_words_stay_on_their_line_and_are_no_markup() -> None:
    assert plainly("a\r\nNext: b\u2028c\x1b[0m") == "a Next: b c\\x1b[0m"
    assert (
        plainly("<!here> [x](http://y) @Everyone @channel") == "(!here) [x] (http://y) @ Everyone @ channel"
    )
    assert plainly("me@host") == "me@host"


def test_a_run_is_one_line_with_what_it_moved_and_no_month_is_named_twice() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 12).uses(BIRCH, "CIXA-MSP", 3).plan()
    first, second = (replace(change, money=Money(Decimal(36), "USD")) for change in plan.changes)
    plan = replace(plan, changes=(first, second))
    good = Run(1, "d", plan, [Result(first, "done", 9001), Result(second, "done", 9002)])
    bad = Run(2, "d", plan, [Result(first, "done", 9001), Result(second, "failed", None, "no")])

    assert list(run_lines([good, bad])) == [
        "2026-10: 2 changes made; bills change by +72 USD.",
        "2026-10: 1 change made, 1 not made; bills change by +36 USD.",
    ]
    assert success_title([good, bad]) == "Sophos billing: 2026-10 is billed"
    assert success_text([good], [Told("A", "A", "a", "f", "plan")]) == (
        "2026-10: 2 changes made; bills change by +72 USD.\n\nSettled: A a."
    )
