"""The page that a person looks at, and the five tables beside it."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from building import ALDER, ALDER_ENDPOINT, BIRCH, OCTOBER, Month
from python_calamine import CalamineWorkbook
from report_building import MADE, found, full_report, line, month_sums, numbers, report_of, usd

from connector.model import Firewall, Key
from connector.planning.diagnosis.discrepancies import Checked, MoneyChecked
from connector.planning.month_report import MonthReport, PeriodRun
from connector.planning.month_trends import months_through, movers, product_trends
from connector.planning.states import FirewallState
from connector.reports.charts import HEIGHT, bars, percent
from connector.reports.classes import class_words
from connector.reports.month_sheets import month_sheets
from connector.reports.page import MOST_ITEMS, MOST_KEYS, page_html
from connector.reports.sheet import csv_text
from connector.reports.workbook import workbook_bytes

EVIL = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://evil.example","pay")'
STEERING = "\x1b[31mred\u202egnp.exe"
LONG = "W" * 10_000
NOTHING = Checked(0, 0, 0, 0)


class Page(HTMLParser):
    """A page taken apart: its elements in order, and the text within each."""

    VOID = frozenset({"meta", "link", "rect", "line", "br"})
    BLOCKS = frozenset({"td", "th", "dt", "dd", "p", "li", "div", "title", "desc"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.feed(html)
        assert not self._open, "something is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        if tag not in self.VOID:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            self.handle_data(" " if tag in self.BLOCKS else "")
            assert self.elements[self._open.pop()][0] == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))

    def handle_data(self, data: str) -> None:
        for at in self._open:
            self.elements[at][2].append(data)

    def texts(self, tag: str) -> list[str]:
        """Return the text of each element of a kind, its white space as one blank."""
        return [" ".join("".join(text).split()) for name, _, text in self.elements if name == tag]

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        """Yield the attributes of each element of a kind."""
        return (attributes for name, attributes, _ in self.elements if name == tag)

    @property
    def shown(self) -> str:
        """All that the page says."""
        return self.texts("body")[0].replace("\u00a0", " ")


def page_of(report: MonthReport) -> Page:
    return Page(page_html(report))


# What it says ----------------------------------------------------------------------------------------


def test_how_much_was_checked_is_the_headline() -> None:
    shown = page_of(full_report()).shown
    assert shown.index("98.5 %") < shown.index("Money at stake", shown.index("98.5 %"))
    assert "209 of 212 rows checked" in shown
    assert "1 of 2 customers checked" in shown
    assert "1,204.50 of 1,250.00 USD checked" in shown


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (full_report(), "4 things need a person."),
        (report_of(found("UNDER_BILLED", 2)), "1 thing needs a person."),
        (report_of(), "Nothing needs a person: every row was checked"),
        (
            report_of(coverage=Checked(2, 1, 4, 3)),
            "Nothing needs a person of what was checked; the rest is not",
        ),
        (
            report_of(coverage=NOTHING),
            "Nothing of this month was checked, so nothing here says that it is right.",
        ),
    ],
)
def test_the_verdict_never_says_more_than_was_checked(report: MonthReport, verdict: str) -> None:
    assert verdict in page_of(report).shown
    assert f"Exit code {report.diagnosis.exit_code}:" in page_of(report).shown


def test_money_at_stake_is_told_by_class_with_its_direction_in_words() -> None:
    page = page_of(full_report())
    rows = [row.replace("\u00a0", " ") for row in page.texts("tr")]
    assert "Billed less than used 1,204.50 USD billed too little 1 item" in rows
    assert "Billed more than used 90.00 USD billed too much 1 item" in rows
    assert rows.index("Billed less than used 1,204.50 USD billed too little 1 item") < rows.index(
        "Billed more than used 90.00 USD billed too much 1 item"
    )
    assert "Billed too little 1,246.50 USD" in page.shown
    assert "Without an amount: product not mapped (1), renamed (1)." in page.shown


def test_money_of_several_currencies_is_never_added_up() -> None:
    euros = replace(found("UNDER_BILLED"), money=replace(usd(7), currency="EUR"))
    shown = page_of(report_of(found("UNDER_BILLED", 5), euros, found("UNDER_BILLED"))).shown
    assert "By class, in EUR" in shown
    assert "7.00 EUR" in shown
    assert "5.00 USD billed too little 3 items (1 without amount)" in shown
    assert "12.00" not in shown


def test_each_thing_to_do_has_its_cause_evidence_and_command() -> None:
    page = page_of(full_report())
    card = next(text for text in page.texts("li") if "UNDER_BILLED" in text).replace("\u00a0", " ")
    assert "Billed less than used 1,204.50 USD billed too little" in card
    assert "AlderDental · Managed Security · SOPHOS-ENDPOINT" in card
    assert "Alder uses 52 and is billed 43." in card
    assert "Usage now 52 Last written 43 ConnectWise has 43 ConnectWise bills 40" in card
    assert "The line includes 3 units that ConnectWise does not bill." in card
    assert "connector sync 2026-10" in page.texts("code")
    assert "Advice: Ask who changed the line before it is set back." in page.shown


def test_what_only_a_fourth_number_tells_is_beside_the_three() -> None:
    theirs = replace(found("DISTRIBUTOR_DIFFERS", 5), distributor=Decimal(9), key=ALDER_ENDPOINT)
    page = page_of(report_of(theirs, numbers=(numbers(ALDER_ENDPOINT, 7, 7, 7, 7, distributor=Decimal(9)),)))
    assert "Distributor 9" in page.shown
    assert "Distributor" in page.texts("th")
    assert "Distributor" not in page_of(full_report()).texts("th")


def test_the_changes_of_the_last_run_are_told_with_their_outcomes() -> None:
    shown = page_of(full_report()).shown
    assert "Run 31 (sync) by billing@host ended 2026-11-01 02:00 UTC: 1 done, 1 failed." in shown
    assert "2 later runs had nothing to change." in shown
    assert "BirchLegal Managed Security (204)" in shown
    assert "400: quantity must be a whole number" in shown


def test_a_run_with_more_changes_than_fit_names_the_command_that_lists_them() -> None:
    made = full_report().run
    assert made is not None
    run = replace(made, changes=made.changes * 60, later=0)
    page = page_of(report_of(run=run))
    assert "connector runs show 31" in page.texts("code")
    assert "And 20 more:" in page.shown
    assert "later run" not in page.shown


def test_what_a_run_would_do_now_and_what_would_stop_it_is_told() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, {(ALDER, "CIXA-MSP"): 40}).uses(BIRCH, "CEMA-MSP", 5)
    shown = page_of(report_of(plan=month.plan())).shown
    assert "A run now would make 1 change and hold 1 for a person." in shown
    assert "A guard would stop the next run" not in shown
    assert "A guard would stop the next run: Sophos has published 2026-10 with no usage" in (
        page_of(report_of(plan=Month().plan())).shown
    )


def test_products_are_drawn_over_the_months_with_their_figures_as_text() -> None:
    page = page_of(full_report())
    assert "2026-06: 31; 2026-07: nothing stored; 2026-08: 36; 2026-09: 40; 2026-10: 52" in page.texts("desc")
    assert "CIXA Sophos Endpoint - User 52 40 the month before" in page.shown
    assert "Cost of all products in USD 126.00 108.00 the month before" in page.shown
    assert "XGS 0 \u2013 1 2 3" in page.texts("tr")


def test_a_month_that_another_source_tells_is_said_to_be() -> None:
    other = replace(month_sums(9, CIXA=4), source="file")
    months = months_through((other, month_sums(10, CIXA=5)), 12)
    shown = page_of(report_of(months=months, trends=product_trends(months, {}))).shown
    assert "2026-09 is from file" in shown


def test_a_first_month_says_that_more_will_come() -> None:
    months = months_through((month_sums(10, CIXA=5),), 12)
    page = page_of(report_of(months=months, trends=product_trends(months, {})))
    assert "Only October 2026 is known so far" in page.shown
    assert "the month before" not in page.shown
    gap = months_through((month_sums(8, CIXA=4), month_sums(10, CIXA=5)), 12)
    shown = page_of(report_of(months=gap, trends=product_trends(gap, {}))).shown
    assert "5 nothing stored of the month before" in shown


def test_what_moved_most_is_told_by_money_with_its_sign() -> None:
    rows = [row.replace("\u00a0", " ") for row in page_of(full_report()).texts("tr")]
    assert "Alder Dental Group CIXA Sophos CIXA 40 52 +24.00 USD" in rows
    assert "Birch Legal CEMA Sophos CEMA 12 8 \u22128.00 USD" in rows


def test_what_moved_without_a_price_and_what_is_beyond_the_list_is_said() -> None:
    moved = movers((), [line(ALDER, f"CODE{number:02}", number + 1) for number in range(20)])
    page = page_of(report_of(movers=moved, compared=OCTOBER.previous))
    assert "CODE19 Sophos CODE19 \u2013 20 not known" in page.shown
    assert "And 5 more:" in page.shown
    assert "connector usage compare 2026-09 2026-10" in page.texts("code")


def test_firewalls_of_nobody_are_listed_with_the_command_that_assigns_them() -> None:
    rows = [row.replace("\u00a0", " ") for row in page_of(full_report()).texts("tr")]
    assert "X11001JYCGB4J30 XGS 107 XGS 42.00 USD connector firewalls assign X11001JYCGB4J30 TENANT" in rows
    unknown = page_of(report_of(found("FIREWALL_UNASSIGNED"))).texts("tr")
    assert "no serial number not known connector plan 2026-10" in unknown


def test_the_numbers_of_every_line_stand_side_by_side_those_that_differ_first() -> None:
    rows = page_of(full_report()).texts("tr")
    alder = "AlderDental Managed Security (118) SOPHOS-ENDPOINT 52 43 43 40 Billed less than used"
    assert alder in rows
    assert rows.index(alder) < rows.index("AlderDental Managed Security (118) SOPHOS-EMAIL 7 7 7 7 agrees")


def test_an_empty_part_says_what_that_means_and_what_to_type() -> None:
    page = page_of(report_of())
    for said in (
        "No money is at stake in what was checked",
        "Nothing waits for a person.",
        "No run has changed anything for October 2026 yet.",
        "Nothing is stored of September 2026, so there is nothing to compare with.",
        "Every firewall that Sophos bills belongs to a customer.",
        "No usage and no line of ours is on any agreement",
    ):
        assert said in page.shown
    assert "connector usage pull 2026-09" in page.texts("code")
    assert (
        "used exactly what they used in September 2026" in page_of(report_of(compared=OCTOBER.previous)).shown
    )
    quiet = Month().manages(ALDER_ENDPOINT, 4, {(ALDER, "CIXA-MSP"): 4}).uses(ALDER, "CIXA-MSP", 4)
    assert "A run now would change nothing." in page_of(report_of(plan=quiet.plan())).shown


def test_a_month_without_rows_is_no_clean_bill() -> None:
    shown = page_of(report_of(found("NOT_CHECKED", message="There is nothing."), coverage=NOTHING)).shown
    assert "October 2026 has no usage rows at all." in shown
    assert "Nobody knows what any of it is worth" in shown
    bare = page_of(report_of(coverage=NOTHING)).shown
    assert "Nothing was checked, so nobody knows what is at stake." in bare
    assert "connector doctor says what is in the way" in bare
    assert "No money is at stake" not in bare


def test_figures_keep_every_digit() -> None:
    money = MoneyChecked(Decimal("12345678901234567890.123456789"), "USD", Decimal("0.000000001"))
    shown = page_of(report_of(coverage=Checked(1, 1, 9, 9, (money,)))).shown
    assert "0.000000001 of 12,345,678,901,234,567,890.123456789 USD checked" in shown


def test_money_whose_currency_nobody_named_is_shown_without_one() -> None:
    nameless = replace(found("UNDER_BILLED"), money=replace(usd(7), currency=""))
    money = (MoneyChecked(Decimal(7), "", Decimal(7)),)
    shown = page_of(report_of(nameless, coverage=Checked(1, 1, 1, 1, money))).shown
    assert "By class, in no named currency" in shown
    assert "Cost in no named currency 100 %" in shown


# How it is made --------------------------------------------------------------------------------------


@pytest.mark.parametrize("report", [full_report(), report_of(), report_of(coverage=NOTHING)])
def test_the_page_needs_nothing_but_itself(report: MonthReport) -> None:
    html = page_html(report)
    page = Page(html)
    policies = [
        each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert not {"script", "img", "iframe", "object", "form"} & {tag for tag, *_ in page.elements}
    assert not re.search(r"https?:|url\(|@import|\bsrc=|\bon[a-z]+=", html)
    assert [each["href"] for each in page.all("link")] == ["data:,"]
    assert all(str(each["href"]).startswith("#") for each in page.all("a"))


@pytest.mark.parametrize("report", [full_report(), report_of(), report_of(coverage=NOTHING)])
def test_the_page_can_be_read_without_seeing_it(report: MonthReport) -> None:
    page = page_of(report)
    tags = [tag for tag, *_ in page.elements]
    headings = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert headings.count(1) == 1
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert next(page.all("html"))["lang"] == "en"
    assert all(each.get("scope") in {"row", "col"} for each in page.all("th"))
    assert tags.count("caption") == tags.count("table")
    for drawing in page.all("svg"):
        named = drawing.get("aria-label") or drawing.get("aria-labelledby")
        assert drawing.get("aria-hidden") == "true" or (drawing["role"] == "img" and named)
    for box in page.all("div"):
        if box.get("class") == "scroll":
            assert box["tabindex"] == "0"
            assert box["aria-label"]
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointed = [str(each["href"])[1:] for each in page.all("a")]
    pointed += [name for each in page.all("svg") for name in (each.get("aria-labelledby") or "").split()]
    pointed += [str(each["aria-labelledby"]) for each in page.all("section")]
    assert set(pointed) <= set(ids)


def palettes() -> dict[str, dict[str, str]]:
    """Return the colours of the light and the dark page."""
    html = page_html(report_of())
    light, dark = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[:2]
    told = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", each)) for each in (light, dark)]
    return {"light": told[0], "dark": told[1]}


def luminance(colour: str) -> float:
    """Return how bright a colour is, as WCAG 2 measures it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours."""
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("background", ["paper", "panel"])
@pytest.mark.parametrize("text", ["ink", "quiet", "accent", "under", "over", "either"])
def test_every_text_stands_out_from_what_is_behind_it(scheme: str, background: str, text: str) -> None:
    colours = palettes()[scheme]
    assert contrast(colours[text], colours[background]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_bar_stands_out_from_what_is_behind_it(scheme: str) -> None:
    colours = palettes()[scheme]
    assert all(contrast(colours[bar], colours["track"]) >= 3 for bar in ("accent", "under", "over", "either"))
    assert all(contrast(colours["bar"], colours[behind]) >= 3 for behind in ("paper", "panel"))
    assert contrast(colours["accent"], colours["bar"]) >= 1.8  # the newest month beside the others
    assert luminance(palettes()["dark"]["paper"]) < luminance(palettes()["light"]["paper"])


def test_a_printed_page_is_black_on_white_with_every_list_open() -> None:
    printed = page_html(report_of()).partition("@media print {")[2]
    assert "--paper: #fff;" in printed
    assert "--ink: #000;" in printed
    assert "details::details-content { display: block; content-visibility: visible;" in printed
    assert re.search(r"tr, \.item, \.chart, \.meter \{ break-inside: avoid; \}", printed)


# What vendors say ------------------------------------------------------------------------------------


def hostile_report() -> MonthReport:
    """Return a report in which every text of a vendor is hostile."""
    item = found(
        "UNDER_BILLED",
        5,
        message=f"{EVIL}{STEERING}",
        evidence=(EVIL, LONG),
        advice=EVIL,
        company=FORMULA,
        agreement=EVIL,
        item=EVIL,
        tenant=FORMULA,
        tenant_id=EVIL,
        product_code=EVIL,
        serial=STEERING,
        key=ALDER_ENDPOINT,
        next=f"connector plan '{EVIL}'",
    )
    firewall = replace(item, code="FIREWALL_UNASSIGNED")
    odd = replace(item, code=EVIL)
    base = full_report()
    assert base.run is not None
    change = replace(base.run.changes[0], item=EVIL, company=LONG, agreement=EVIL, message=EVIL, outcome=EVIL)
    bad = replace(line(EVIL, FORMULA, 5, 7), product=EVIL, tenant=STEERING, group=FORMULA)
    months = months_through((month_sums(9, **{EVIL: 4}), month_sums(10, **{EVIL: 5})), 12)
    return report_of(
        item,
        firewall,
        odd,
        coverage=Checked(1, 1, 1, 1, (MoneyChecked(Decimal(1), EVIL, Decimal(1)),)),
        numbers=(numbers(ALDER_ENDPOINT, 1, 2, 3, 4, company=LONG, agreement=EVIL, item=FORMULA),),
        usage=(bad,),
        firewalls=(FirewallState(Firewall(STEERING, EVIL), (FORMULA,), Decimal(1), (), None, None, EVIL),),
        months=months,
        trends=product_trends(months, {EVIL: STEERING}),
        movers=movers((), (bad,)),
        compared=OCTOBER.previous,
        run=PeriodRun(1, EVIL, EVIL, STEERING, 0, (change,)),
        names={EVIL: FORMULA},
    )


def test_nothing_that_a_vendor_wrote_becomes_part_of_the_page() -> None:
    html = page_html(hostile_report())
    page = Page(html)
    assert "<script" not in html.casefold()
    assert {"script"}.isdisjoint(tag for tag, *_ in page.elements)
    assert EVIL in page.shown
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "\\x1b[31mred\\u202egnp.exe" in page.shown


def test_a_name_of_ten_thousand_letters_is_cut_and_a_command_never_is() -> None:
    command = "connector tenants map " + "x" * 3_000
    html = page_html(report_of(replace(found("UNMAPPED_TENANT", message=LONG, company=LONG), next=command)))
    assert LONG[:1_000] not in html
    assert "W…" in html
    assert f"<code>{command}</code>" in html


def test_nothing_that_a_vendor_wrote_runs_in_a_spreadsheet() -> None:
    for sheet in month_sheets(hostile_report()):
        text = csv_text([column.title for column in sheet.columns], sheet.rows)
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert len({len(row) for row in rows}) == 1
        assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
        assert "\x1b" not in text
        assert "\u202e" not in text
    book = CalamineWorkbook.from_filelike(
        io.BytesIO(workbook_bytes(month_sheets(hostile_report()), made=MADE))
    )
    cells = [
        cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row
    ]
    assert FORMULA in cells  # as text: a formula would have come back as its result
    assert not any(isinstance(cell, str) and ("\x1b" in cell or "\u202e" in cell) for cell in cells)


def test_five_thousand_customers_fit_onto_a_page_and_what_is_left_out_is_said() -> None:
    items = [
        found(
            "UNDER_BILLED", 10_000 - number, key=Key(number, 48), company=f"Company{number}",
            agreement="Managed Security", item="SOPHOS-ENDPOINT", usage=Decimal(number),
            evidence=("One.", "Two."),
        )
        for number in range(5_000)
    ]  # fmt: skip
    known = replace(items[0], needs_person=False)
    listed = tuple(
        numbers(Key(number, 48), 5, 5, 4, 4, company=f"Company{number}") for number in range(40_000)
    )
    html = page_html(report_of(*items, *(known,) * 400, numbers=listed))
    page = Page(html)
    assert len(html.encode()) < 1_500_000
    assert f"And {5_000 - MOST_ITEMS:,} more:" in page.shown
    assert f"And {40_000 - MOST_KEYS:,} more:" in page.shown
    assert "And 100 more:" in page.shown
    assert "connector report 2026-10 --xlsx FILE" in page.texts("code")


# Charts ----------------------------------------------------------------------------------------------


def test_the_highest_month_fills_a_chart_and_the_newest_stands_at_the_right() -> None:
    chart = bars((Decimal(5), None, Decimal(10)))
    assert [bar.height for bar in chart.bars] == ["36", "0", str(HEIGHT)]
    assert [bar.gap for bar in chart.bars] == [False, True, False]
    assert [bar.newest for bar in chart.bars] == [False, False, True]
    assert chart.zero == str(HEIGHT)
    assert chart.start == "50"


def test_credits_hang_below_the_ground_line() -> None:
    chart = bars((Decimal(30), Decimal(-10)))
    assert chart.zero == "54"
    assert [(bar.y, bar.height) for bar in chart.bars] == [("0", "54"), ("54", "18")]
    below = bars((Decimal(-10),))
    assert (below.zero, below.bars[0].y, below.bars[0].height) == ("0", "0", "72")


def test_a_little_is_seen_beside_much_and_nothing_is_not() -> None:
    chart = bars((Decimal("0.001"), Decimal(0), Decimal(10**9), Decimal("-0.001")))
    assert [bar.height for bar in chart.bars] == ["1", "0", "71.9", "1"]
    assert bars((Decimal(0),)).bars[0].height == "0"


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(9_999, 10_000, "99.9"), (7, 7, "100"), (0, 3, "0"), (1, 0, "0"), (5, 4, "100"), (-1, 4, "0")],
)
def test_a_share_is_whole_only_where_it_is_all(part: int, whole: int, shown: str) -> None:
    assert percent(part, whole) == shown


def test_a_class_without_words_of_its_own_is_read_off_its_code() -> None:
    assert class_words("NEGATIVE_QUANTITY") == "Negative quantity"
    assert class_words("NO_ADDITION") == "Used, and on no line"


# Tables ----------------------------------------------------------------------------------------------


def rows_of(report: MonthReport, name: str) -> list[dict[str, str]]:
    """Return a table's rows by column title."""
    (sheet,) = (each for each in month_sheets(report) if each.name == name)
    return [dict(zip([column.title for column in sheet.columns], row, strict=True)) for row in sheet.rows]


def test_the_workbook_has_the_five_sheets() -> None:
    assert [sheet.name for sheet in month_sheets(report_of())] == [
        "Plan", "Discrepancies", "Coverage", "Firewalls", "Usage",
    ]  # fmt: skip


def test_the_plan_sheet_has_every_change_with_its_hold() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, {(ALDER, "CIXA-MSP"): 40}).uses(BIRCH, "CEMA-MSP", 5)
    held, made = rows_of(report_of(plan=month.plan()), "Plan")
    assert (held["Change"], held["Before"], held["After"], held["Held"]) == (
        "zero",
        "40",
        "0",
        "TENANT_VANISHED",
    )
    assert held["Addition id"] == "9001"
    assert (made["Change"], made["Addition id"], made["Before"], made["After"]) == ("create", "", "", "5")
    assert (made["Effective"], made["Because"]) == ("2026-10-01", "5 CEMA-MSP")


def test_the_discrepancies_sheet_has_every_item_with_its_numbers_and_command() -> None:
    rows = rows_of(full_report(), "Discrepancies")
    assert [row["Class"] for row in rows][:2] == ["UNDER_BILLED", "OVER_BILLED"]
    assert [row["Needs a person"] for row in rows] == ["yes", "yes", "yes", "yes", "no"]
    first = rows[0]
    assert (first["Direction"], first["At stake"], first["Currency"]) == (
        "billed too little",
        "1204.50",
        "USD",
    )
    assert (first["Usage"], first["Written"], first["ConnectWise"], first["Billed"]) == (
        "52",
        "43",
        "43",
        "40",
    )
    assert (first["Tenant"], first["Agreement id"], first["Item id"]) == ("Alder Dental Group", "118", "48")
    assert first["Next"] == "connector sync 2026-10"
    assert (rows[3]["At stake"], rows[3]["Usage"], rows[3]["Agreement id"]) == ("", "", "")


def test_the_coverage_sheet_has_the_headline_and_every_line() -> None:
    unread = replace(found("NOT_CHECKED"), key=Key(118, 49))
    base = full_report()
    report = replace(base, diagnosis=replace(base.diagnosis, items=(*base.diagnosis.items, unread)))
    rows = rows_of(report, "Coverage")
    told = [(row["What"], row["All"], row["Checked"], row["Not checked"], row["Currency"]) for row in rows]
    assert told[:3] == [
        ("tenants", "2", "1", "1", ""), ("rows", "212", "209", "3", ""),
        ("cost", "1250", "1204.5", "45.5", "USD"),
    ]  # fmt: skip
    lines = {(row["Agreement id"], row["Item"]): row for row in rows[3:]}
    assert len(lines) == 3
    assert lines["118", "SOPHOS-EMAIL"]["Checked"] == "0"
    assert lines["118", "SOPHOS-EMAIL"]["Classes"] == "NOT_CHECKED"
    assert lines["118", "SOPHOS-ENDPOINT"]["Checked"] == "1"


def test_the_firewalls_sheet_has_every_firewall_and_whose_it_is() -> None:
    spare, alders = rows_of(full_report(), "Firewalls")
    assert (spare["Serial"], spare["Tenant"], spare["Cost"], spare["Item id"]) == (
        "X11001JYCGB4J30", "nobody", "42.00", "",
    )  # fmt: skip
    assert (alders["Tenant"], alders["Agreement id"], alders["Item id"]) == (
        "Alder Dental Group",
        "118",
        "48",
    )
    idle = FirewallState(Firewall("X9"), (), Decimal(0), (), None, None)
    assert rows_of(report_of(firewalls=(idle,)), "Firewalls")[0]["Tenant"] == ""


def test_the_usage_sheet_has_the_month_before_beside_it_and_what_is_gone() -> None:
    before = (line(ALDER, "CIXA", 5, 10), line(ALDER, "CEMA", 3, 6), line(BIRCH, "CIXA", 2, 4))
    after = (line(ALDER, "CIXA", 5, 10), line(ALDER, "CEMA", 4, 8))
    rows = rows_of(report_of(usage=after, movers=movers(before, after), compared=OCTOBER.previous), "Usage")
    told = [
        (row["Tenant id"], row["Product"], row["Quantity"], row["Month before"], row["Cost moves by"])
        for row in rows
    ]
    assert told == [
        (ALDER, "CIXA", "5", "5", ""), (ALDER, "CEMA", "4", "3", "2.00"), (BIRCH, "CIXA", "0", "2", "-4.00"),
    ]  # fmt: skip
    assert rows_of(report_of(usage=after), "Usage")[0]["Month before"] == ""
