"""What people and programs are shown."""

import json
import tracemalloc
from dataclasses import replace
from decimal import Decimal

import pytest
from building import ALDER, ALDER_ENDPOINT, BIRCH, Month

from connector.errors import Fault, MappingsFault, NotPublished
from connector.model import Company
from connector.planning.change import Plan
from connector.reports.checkup import Check, check_text, checkup_document, checkup_exit_code
from connector.reports.document import error_document, json_text, plan_document, run_document
from connector.reports.escape import lines, printable
from connector.reports.outcome import Outcome, Result, Run
from connector.reports.text import plan_text, run_text

OURS = {(ALDER, "CIXA-MSP"): 40}


def run_of(plan: Plan, *outcomes: Outcome) -> Run:
    results = [
        Result(change, outcome, 9001, None) for change, outcome in zip(plan.changes, outcomes, strict=True)
    ]
    return Run(31, plan.digest, plan, results)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("Bäckerei Fichte & Söhne", "Bäckerei Fichte & Söhne"),
        ("red \x1b[31mtext", "red \\x1b[31mtext"),
        ("two\nlines\r\tand a tab", "two\\x0alines\\x0d\\x09and a tab"),
        ("right \u202eleft", "right \\u202eleft"),
        ("private \U000f0000 use", "private \\U000f0000 use"),
    ],
)
def test_names_from_outside_cannot_steer_a_terminal(hostile: str, shown: str) -> None:
    assert printable(hostile) == shown


def test_a_long_text_is_cut_and_shows_it() -> None:
    assert printable("abcdef", width=4) == "abc…"
    assert printable("abcd", width=4) == "abcd"
    assert lines("ours\nthe\x1birs") == "ours\nthe\\x1birs"


def test_a_plan_groups_by_company_gives_reasons_and_ends_with_the_next_command() -> None:
    month = Month().manages(ALDER_ENDPOINT, 40, OURS).uses(ALDER, "CIXA-MSP", 43).uses(BIRCH, "CEMA-MSP", 5)
    plan = month.uses(BIRCH, "NDR-MSP", 2).plan()
    assert plan_text(plan).splitlines() == [
        f"Plan {plan.digest} for 2026-10    3 usage rows: 2 billed, 0 off, 1 unresolved",
        "",
        'AlderDental, agreement "Managed Security" (118)',
        "  ~ SOPHOS-ENDPOINT      40 -> 43      43 CIXA-MSP; was 40",
        "",
        'BirchLegal, agreement "Managed Security" (204)',
        "  + SOPHOS-EMAIL     new -> 5       5 CEMA-MSP from 2026-10-01",
        "",
        "Unresolved, so billed to nobody:",
        (
            "  ! UNMAPPED_PRODUCT  2  Birch (birch-id), NDR-MSP: product code 'NDR-MSP' has no entry in "
            "mappings.yaml"
        ),
        (
            "      do: give the product an item: connector products map NDR-MSP, or, not to bill it: "
            "connector products off NDR-MSP"
        ),
        "",
        "2 changes (1 update, 1 create), 0 held, 0 unchanged, 1 unresolved.",
        f"Nothing was written. To make exactly these changes: connector apply {plan.digest}",
    ]


def test_a_plan_without_changes_says_so() -> None:
    plan = Month().manages(ALDER_ENDPOINT, 40, OURS).uses(ALDER, "CIXA-MSP", 40).plan()
    assert plan_text(plan).splitlines()[-1] == "Nothing was written, and there is nothing to write."
    last = run_text(run_of(plan)).splitlines()[-1]
    assert last == "Nothing to write: 1 addition bills what is used."


def test_held_changes_name_the_command_that_releases_them() -> None:
    plan = Month().manages(ALDER_ENDPOINT, 40, OURS).uses(BIRCH, "CPHISH-MSP", 1).plan()
    assert "release them: connector sync 2026-10 --force TENANT_VANISHED" in plan_text(plan)
    assert "0 changes, 1 held" in plan_text(plan)


def test_a_refused_run_says_that_nothing_was_written_and_how_to_go_on() -> None:
    plan = Month().plan()
    expected = (
        "Refused: nothing was written. If it is right after all: connector sync 2026-10 --force empty_month"
    )
    assert plan_text(plan).splitlines()[-1] == expected
    assert run_text(run_of(plan)).splitlines()[-1] == expected
    assert run_of(plan).exit_code == 4


def test_a_run_tells_what_became_of_each_change_and_to_run_again() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 43).uses(BIRCH, "CIXA-MSP", 1).plan()
    run = run_of(plan, "done", "not_tried")
    run = replace(run, results=[run.results[0], replace(run.results[1], message="the\x1bend")])
    text = run_text(run)
    assert "43 CIXA-MSP from 2026-10-01  [done]" in text
    assert "[not tried: the\\x1bend]" in text
    assert "2 changes: 1 done, 1 not tried. 0 unchanged." in text
    assert text.splitlines()[-1].startswith("Run the same command again")
    assert run.exit_code == 6


@pytest.mark.parametrize(
    ("outcome", "code"), [("done", 0), ("held", 0), ("failed", 6), ("unclear", 6), ("not_tried", 6)]
)
def test_a_run_ends_with_the_code_of_its_worst_change(outcome: Outcome, code: int) -> None:
    assert run_of(Month().uses(ALDER, "CIXA-MSP", 43).plan(), outcome).exit_code == code


def test_a_run_that_left_something_to_a_person_says_so() -> None:
    plan = Month().uses(ALDER, "CIXA-MSP", 43).uses(ALDER, "NDR-MSP", 1).plan()
    assert run_of(plan, "done").exit_code == 3
    assert run_text(run_of(plan, "done")).splitlines()[-1].startswith("A person must decide")


def test_hostile_names_reach_neither_text_nor_json_raw() -> None:
    month = Month().uses(ALDER, "CIXA-MSP", 43).uses(BIRCH, "\x1b]0;owned\x07", 1)
    month.companies[0] = Company(1, "AlderDental\x1b[2J")
    month.maps(ALDER, company=1).maps(BIRCH, name="=cmd|'/C calc'!A0\n\u202e")
    plan = month.plan()
    for shown in (plan_text(plan), run_text(run_of(plan, "done")), json_text(plan_document(plan))):
        assert not {character for character in shown if ord(character) < 32} - {"\n"}
        assert "\u202e" not in shown


def test_documents_hold_decimals_as_strings() -> None:
    plan = Month().manages(ALDER_ENDPOINT, "0.50", OURS).uses(ALDER, "CIXA-MSP", "1.250").plan()
    document = json.loads(json_text(plan_document(plan)))
    (change,) = document["changes"]
    assert (change["before"], change["after"], change["from"][0]["quantity"]) == ("0.5", "1.25", "1.25")
    (outcome,) = run_document(run_of(plan, "done"))["outcomes"]
    assert (outcome["before"], outcome["after"]) == ("0.5", "1.25")
    assert Decimal(change["after"]) == plan.changes[0].after


def test_errors_are_documents_too() -> None:
    assert error_document(NotPublished("not yet", "later")) == {
        "schema": "connector.error/1",
        "error": {"code": "NOT_PUBLISHED", "message": "not yet", "next": "later"},
        "exit_code": 8,
    }
    fault = MappingsFault("mappings.yaml", (Fault(14, 5, "no"), Fault(31, 9, "nor this")))
    document = error_document(fault)
    assert document["error"]["faults"][1] == {"line": 31, "column": 9, "message": "nor this"}
    assert "mappings.yaml has 2 faults" in document["error"]["message"]
    assert "mappings.yaml has 1 fault." in MappingsFault("mappings.yaml", (Fault(1, 1, "x"),)).message


def test_a_checkup_ends_with_the_code_that_counts_among_all() -> None:
    fine = Check("Settings", "ok", "all there")
    vendor = Check("Sophos", "fault", "no answer", "later", 5)
    unresolved = Check("Names", "fault", "no such item", "mend it", 3)
    assert checkup_exit_code([]) == checkup_exit_code([fine]) == 0
    assert checkup_exit_code([fine, unresolved, vendor]) == 5
    assert check_text(fine) == "ok       Settings: all there"
    assert check_text(vendor).splitlines() == ["fault    Sophos: no answer", "         do: later"]
    document = checkup_document([vendor])
    assert (document["exit_code"], document["checks"][0]["next"]) == (5, "later")


def test_writing_a_large_document_takes_little_more_memory_than_its_text() -> None:
    document = {"outcomes": [{"kind": "create", "after": f"{number}"} for number in range(20_000)]}
    tracemalloc.start()
    try:
        text = json_text(document)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()
    assert json.loads(text) == document
