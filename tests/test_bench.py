"""The bench counts rightly, and says so where a night did not do its work; no figure of time is asserted."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # it is not part of the package

from bench.big_msp import OCTOBER, SEPTEMBER, BigMsp  # noqa: E402
from bench.bounds import shortest_seconds  # noqa: E402
from bench.fewest import Size, Work, fewest  # noqa: E402
from bench.kinds import KINDS, by_kind  # noqa: E402
from bench.measured import Cost  # noqa: E402
from bench.scenarios import Night, Weather  # noqa: E402
from bench.tables import BEGIN, END, document, markdown, put_into  # noqa: E402
from connector.simulator import Request  # noqa: E402

THOUSAND = Size(
    tenants=1_000,
    rows=8_000,
    firewalls=400,
    companies=1_000,
    agreements=1_000,
    mapped=1_000,
    additions=8_500,
    items=12,
)
LISTS = {
    "token": 1,
    "whoami": 1,
    "tenants": 10,
    "usage": 8,
    "firewalls": 8,
    "companies": 1,
    "agreements": 1,
    "catalog": 1,
}


# The fewest possible


def test_a_quiet_night_of_a_thousand_tenants_by_calls() -> None:
    assert fewest(THOUSAND, Work(), "calls") == LISTS | {"additions": 1_000}


def test_a_quiet_night_of_a_thousand_tenants_by_the_report() -> None:
    assert fewest(THOUSAND, Work(), "report") == LISTS | {"report": 9, "additions": 1}


def test_what_is_written_to_is_read_over_the_report_too() -> None:
    tenth = fewest(THOUSAND, Work(writes=800, written_to=100), "report")
    assert tenth == LISTS | {"report": 9, "additions": 101, "writes": 800}


def test_a_line_is_made_after_a_fresh_look() -> None:
    first = fewest(THOUSAND, Work(writes=8_000, written_to=1_000, made_in=1_000), "calls")
    assert first == LISTS | {"additions": 1_000, "fresh looks": 1_000, "writes": 8_000}


def test_the_report_is_left_alone_where_it_spares_nothing() -> None:
    work = Work(writes=8_000, written_to=1_000)
    assert fewest(THOUSAND, work, "report") == fewest(THOUSAND, work, "calls")


def test_an_empty_list_takes_a_request_too() -> None:
    nothing = fewest(Size(0, 0, 0, 0, 0, 0, 0, 0), Work(), "calls")
    assert nothing == dict.fromkeys(LISTS, 1)


# What limits allow


@pytest.mark.parametrize(
    ("requests", "seconds"),
    [
        ({"token": 1, "whoami": 1, "usage": 8, "tenants": 10, "firewalls": 8}, 2),  # ten a second
        ({"tenants": 101}, 60),
        ({"tenants": 520}, 300),
        ({"tenants": 1_001}, 3_600),
        ({"usage": 90}, 9.0),  # a chain
        ({"additions": 1_000}, 12.5),  # eight at once
        ({"additions": 4_000, "writes": 1_000}, 240),
        ({"writes": 161_000}, 9_600),
    ],
)
def test_no_run_is_quicker_than_the_limits_allow(requests: dict[str, int], seconds: float) -> None:
    assert shortest_seconds(requests, 0.1) == pytest.approx(seconds)


# What was asked


def asked(method: str, path: str, status: int = 200) -> Request:
    vendor = "connectwise" if path.startswith("/v4_6") else "sophos"
    return Request(1, vendor, method, path, {}, None, status=status)


def test_every_request_of_a_run_is_of_one_kind() -> None:
    base = "/v4_6_release/apis/3.0"
    lines = f"{base}/finance/agreements/101/additions"
    assert by_kind(
        [
            asked("POST", "/api/v2/oauth2/token"),
            asked("GET", "/whoami/v1"),
            asked("GET", "/partner/v1/tenants"),
            asked("GET", "/partner/v1/billing/usage/2026/10"),
            asked("GET", "/licenses/v1/licenses/firewalls"),
            asked("GET", f"{base}/company/companies"),
            asked("GET", f"{base}/finance/agreements"),
            asked("GET", f"{base}/procurement/catalog"),
            asked("GET", f"{base}/system/reports/AgreementAdditions/columns"),
            asked("GET", lines, status=429),
            asked("GET", lines),
            asked("GET", lines),
            asked("GET", f"{lines}/9001"),
            asked("POST", lines),
            asked("PATCH", f"{lines}/9001"),
            asked("GET", f"{base}/system/info"),
        ]
    ) == dict.fromkeys(KINDS, 1) | {"fresh looks": 2, "writes": 2}


# The MSP and what it must bill


@pytest.fixture
def msp() -> BigMsp:
    return BigMsp(20)


def test_eight_lines_of_each_tenant_are_due_and_change_as_a_scenario_says(msp: BigMsp) -> None:
    september = msp.due(SEPTEMBER)
    assert len(september) == 160
    msp.october_is_like_september()
    assert msp.due(OCTOBER) == september
    for nth, changing in ((10, 2), (1, 20)):
        msp.october_changes_every(nth)
        october = msp.due(OCTOBER)
        moved = [key for key, quantity in september.items() if october[key] != quantity]
        assert (len(moved), len({key.agreement_id for key in moved})) == (8 * changing, changing)
        grown = sum(october.values(), Decimal(0)) - sum(september.values(), Decimal(0))
        assert abs(grown) <= 8 * changing
        assert min(october.values()) >= 1


def test_a_month_billed_rightly_has_no_fault_and_any_other_has(msp: BigMsp) -> None:
    others = msp.lines()
    msp.october_is_like_september()
    assert len(msp.faults(others)) == 160
    msp.bill_september_by_hand()
    right = msp.lines()
    assert msp.faults(others) == []
    ours = next(line for line in right if line.made_by == msp.world.api_member)

    msp.world.add_addition(ours.agreement_id, ours.item_id, 1)
    (twice,) = msp.faults(others)
    assert f"agreement {ours.agreement_id}, item {ours.item_id}: billed {ours.quantity}, 1 for" in twice

    msp.put_back(right)
    msp.world.additions[ours.id].quantity = Decimal(9_999)
    (wrong,) = msp.faults(others)
    assert "billed 9999 for" in wrong

    msp.put_back(right)
    assert msp.faults(others) == []
    msp.world.additions[others[0].id].quantity = Decimal(0)
    del msp.world.additions[others[1].id]
    assert msp.faults(others) == [
        f"addition {others[0].id}, which is not ours, was changed",
        f"addition {others[1].id}, which is not ours, is gone",
    ]


# Tables


def quiet(*, real_time: bool = True, throttled: int = 0, faults: tuple[str, ...] = ()) -> Night:
    cost = Cost(0, 4.0, None, None)
    made = {"token": 1, "additions": 21}
    return Night(
        1_000, "quiet", "calls", cost, made, {"token": 1, "additions": 19}, throttled, 0.1, real_time, faults
    )


def test_a_figure_stands_beside_what_it_is_measured_against() -> None:
    text = markdown([quiet(throttled=2)], [], Weather())
    cells = [cell.strip() for cell in text.splitlines()[4].strip("|").split("|")]
    assert cells == [
        *("1,000", "quiet", "calls", "22", "20", "1.10", "0", "2 (8.3%)", "4.0 s"),
        *["not measured"] * 3,
        "`--tenants 1000 --scenarios quiet --mode calls`",
    ]
    assert "| 21/19 " in text
    assert "Not as it must be" not in text


def test_what_was_not_measured_is_marked_as_worked_out() -> None:
    text = markdown([quiet(real_time=False)], [], Weather())
    assert "4.0 s° (at least 0 s)" in text
    assert "worked out, not measured" in text


def test_a_night_with_a_fault_is_told_as_no_figure() -> None:
    text = markdown([quiet(faults=("it ended with 6",))], [], Weather())
    assert "**Not as it must be, so no figures:**\n\n- 1,000 tenants, quiet, calls: it ended with 6" in text


def test_the_script_is_compared_under_the_same_conditions_only() -> None:
    script = Night(
        1_000, "quiet", "calls", Cost(0, 320.0, 9.0, 60.0), {"other": 3_000}, {"token": 1}, 0, 0.1, True, ()
    )
    assert "| 80.0" in markdown([quiet()], [script], Weather())
    assert document([quiet()], [script], Weather())["baseline"][0]["times_slower"] == {"calls": 80.0}
    assert document([quiet(real_time=False)], [script], Weather())["baseline"][0]["times_slower"] == {}


def test_tables_go_between_the_marks_of_the_page() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert put_into(page, "new") == f"before\n{BEGIN}\n\nnew\n{END}\nafter\n"
    assert put_into(put_into(page, "new"), "newer") == put_into(page, "newer")
    readme = (ROOT / "bench" / "README.md").read_text("utf-8")
    assert (readme.count(BEGIN), readme.count(END)) == (1, 1)


# Everything at once


def test_ten_tenants_are_billed_in_every_scenario_with_the_requests_that_it_takes(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "bench", "--tenants", "10", "--latency", "0", "--no-limits"),
            *("--baseline", "--json", str(figures)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(figures.read_text("utf-8"))
    assert told["schema"] == "connector.bench/1"
    nights = {(night["scenario"], night["mode"]): night for night in told["nights"]}
    assert {key: night["requests"].get("writes", 0) for key, night in nights.items()} == {
        (scenario, mode): writes
        for mode in ("report", "calls")
        for scenario, writes in (("quiet", 0), ("first", 80), ("tenth", 8), ("all", 80))
    }
    assert not any(night["faults"] or night["throttled"] for night in told["nights"])
    by_calls = nights["quiet", "calls"]
    assert by_calls["requests"]["additions"] == 10
    assert 1 <= by_calls["ratio"] <= 1.1
    (script,) = told["baseline"]
    assert script["faults"] == []
    assert sum(script["requests"].values()) == 5 + 12 + 3 * 10
    assert "| 10 " in ended.stdout
