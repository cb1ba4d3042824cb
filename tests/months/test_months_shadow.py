"""Shadow runs: another tool bills, the connector looks on, and nothing is written (issue 6)."""

import zipfile
from decimal import Decimal

import pytest
from filelock import FileLock
from months.calling import Run
from months.importing import imports, row
from months.msp import EMAIL, ENDPOINT, Msp


def classes(document: dict[str, list[dict[str, str]]]) -> list[str]:
    """Return how each line compares."""
    return [line["class"] for line in document["lines"]]


def test_a_shadow_run_compares_and_writes_nothing(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14, "CEMA-MSP": 3})
    birch = msp.customer("Birch", {"CIXA-MSP": 5})
    alder.has(ENDPOINT, 12, unit_price=Decimal(4))
    birch.has(ENDPOINT, 5)
    birch.has(EMAIL, 9)

    done = run("shadow", "2026-10")

    assert (done.exit_code, done.writes) == (3, [])
    said = done.json
    assert said["schema"] == "connector.shadow/1"
    assert (said["agreed"], said["compared"], said["percent"]) == (1, 4, "25")
    assert classes(said) == ["OTHER_QUANTITY", "NO_LINE", "SAME", "NOTHING_FEEDS"]
    differs = said["lines"][0]
    assert (differs["ours"], differs["there"], differs["difference"]) == ("14", "12", "2")
    assert differs["money"]["amount"] == "8"
    assert differs["from"] == [{"tenant_id": alder.tenant, "product_code": "CIXA-MSP", "quantity": "14"}]
    assert (said["lines"][1]["ours"], said["lines"][1]["there"]) == ("3", None)
    assert alder.bills == {ENDPOINT: 12}


def test_where_all_agree_the_lines_are_ready_to_be_taken_over(msp: Msp, run: Run) -> None:
    for customer in msp.customers(3):
        customer.has(ENDPOINT, 10)

    done = run.text("shadow")

    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "Both agree on 3 of 3 lines (100 %) in 2026-10."
    assert "Nothing was written to ConnectWise." in done.stdout
    assert done.stdout.splitlines()[-1].endswith("take the lines over: connector adopt 2026-10")


def test_what_differs_is_told_line_by_line_with_the_next_step(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 12, unit_price=Decimal(4))
    msp.customer("Birch", {"NEW-MSP": 1, "CEMA-MSP": 2})

    done = run.text("shadow")

    assert "Both agree on 0 of 2 lines (0 %)" in done.stdout
    assert "3 usage rows: 2 compared, 0 off, 1 unmapped, 0 not placed." in done.stdout
    (told,) = [line for line in done.stdout.splitlines() if line.startswith("Alder ")]
    assert told.split() == [
        *["Alder", "Managed", "Security", "SOPHOS-ENDPOINT", "14", "12", "2", "8.00", "USD"],
        *["other", "quantity", str(alder.line().id)],
    ]
    assert (
        "1 row cannot be compared before a person maps or places them: connector plan 2026-10" in done.stdout
    )
    assert done.stdout.splitlines()[-1].endswith("connector adopt 2026-10 --dry-run")


def test_each_run_says_what_is_new_and_what_went_away(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    birch = msp.customer("Birch", {"CIXA-MSP": 5})
    line = alder.has(ENDPOINT, 12)
    birch.has(ENDPOINT, 5)
    first = run("shadow").json
    line.quantity = Decimal(14)
    birch.uses("CIXA-MSP", 6)

    second = run("shadow")

    assert (first["previous_run"], first["gone"]) == (None, [])
    assert [each["new"] for each in first["lines"]] == [False, False]
    said = second.json
    assert said["previous_run"] == first["run"]
    assert [each["new"] for each in said["lines"]] == [False, True]
    assert [each["label"] for each in said["gone"]] == [
        f'SOPHOS-ENDPOINT on "Managed Security" ({alder.agreement.id}) of Alder'
    ]
    told = run.text("shadow").stdout
    assert f"Since run {said['run']}: 0 new differences, 0 gone." in told
    birch.uses("CIXA-MSP", 5)
    assert "  gone: SOPHOS-ENDPOINT on " in run.text("shadow").stdout


def test_runs_that_agree_are_counted_in_a_row(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 14}).has(ENDPOINT, 14)

    counted = [run("shadow").json["runs_agreed"] for _ in range(3)]

    assert counted == [1, 2, 3]
    assert "Both have agreed on every line for 4 runs in a row." in run.text("shadow").stdout
    (line,) = run.text("shadow", "--csv").stdout.splitlines()[1:]
    assert line.split(",")[-3:-1] == ["same", "agreed 5 runs"]


def test_a_shadow_run_makes_nothing_ours_and_counts_as_no_bill(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14})
    alder.has(ENDPOINT, 14)
    run("shadow", "2026-10")

    assert run("shadow", "2026-10").json["lines"][0]["managed"] is False
    assert run("plan").held == ["NEEDS_ADOPTION"]
    listed = run("tenants").json["tenants"]
    msp.next_month()
    run("shadow")
    msp.period = "2026-10"

    assert run("plan", "2026-10").guards == []
    assert all(entry["last_run"] is None or entry["last_run"]["outcome"] != "planned" for entry in listed)


def test_lines_that_are_ours_need_no_adoption(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 14})
    run("sync")

    done = run.text("shadow")

    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1].endswith("To bill: connector sync 2026-10")


def test_what_is_off_is_counted_apart(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14, "CEMA-MSP": 3})
    alder.has(ENDPOINT, 14)
    alder.has(EMAIL, 4)
    alder.entry["products"] = {"CEMA-MSP": {"sync": False}}

    done = run("shadow")

    assert (done.exit_code, done.json["compared"], done.json["lines_off"]) == (0, 1, 1)
    assert done.json["rows"] == {"rows": 2, "compared": 1, "off": 1, "unmapped": 0, "unplaced": 0}
    assert "; 1 line of what is off is left out." in run.text("shadow").stdout


def test_where_rows_wait_nothing_is_ready_to_be_taken_over(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 14, "NEW-MSP": 1})
    alder.has(ENDPOINT, 14)

    done = run.text("shadow")

    assert (done.exit_code, "adopt" in done.stdout) == (3, False)
    assert done.stdout.splitlines()[-1].endswith("connector plan 2026-10")


def test_an_imported_file_is_compared_as_well(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 99})
    alder.has(ENDPOINT, 14)
    imports(run, [row(alder.tenant, "CIXA-MSP", 14)])

    done = run.text("shadow", "--source", "file")

    assert (done.exit_code, done.stdout.splitlines()[-1].rpartition(": ")[2]) == (
        0,
        "connector adopt 2026-10 --source file",
    )


def test_of_many_differences_that_went_away_a_few_are_named(msp: Msp, run: Run) -> None:
    msp.customers(12)
    run("shadow")
    run("sync")

    told = run.text("shadow").stdout

    assert told.count("  gone: ") == 10
    assert "  and 2 more, which --json names" in told


def test_a_shadow_of_nothing_is_no_clean_bill(msp: Msp, run: Run) -> None:
    msp.world.add_tenant("Alder Ltd")
    msp.world.publish("2026-10")

    done = run.text("shadow", "2026-10")

    assert done.exit_code == 3
    assert done.stdout.startswith("Nothing was compared in 2026-10")
    assert done.stdout.splitlines()[-1].endswith("connector products")


def test_a_workbook_holds_every_line_and_replaces_nothing_unasked(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 14}).has(ENDPOINT, 14)

    done = run.text("shadow", "--xlsx", "a shadow.xlsx")

    assert (done.exit_code, done.stdout) == (0, "")
    assert "a shadow.xlsx holds 1 line." in done.stderr
    with zipfile.ZipFile(run.folder / "a shadow.xlsx") as book:
        assert "SOPHOS-ENDPOINT" in book.read("xl/sharedStrings.xml").decode()
    assert run("shadow", "--xlsx", "a shadow.xlsx").exit_code == 2
    assert run("shadow", "--xlsx", "a shadow.xlsx", "--overwrite").exit_code == 0


@pytest.mark.parametrize("arguments", [["--xlsx", "shadow.txt"], ["--source", "live"], ["2026-13"]])
def test_what_cannot_be_is_refused_before_anybody_is_asked(msp: Msp, run: Run, arguments: list[str]) -> None:
    done = run("shadow", *arguments)

    assert (done.exit_code, done.json["error"]["code"], list(done.requests)) == (2, "COMMAND", [])


def test_a_shadow_run_beside_another_run_is_refused(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 14})
    run.state.mkdir()
    with FileLock(run.state / "connector.lock"):
        done = run("shadow")

    assert (done.exit_code, done.json["error"]["code"]) == (4, "RUN_IN_PROGRESS")


def test_what_a_run_would_not_do_is_told_with_the_reason(msp: Msp, run: Run) -> None:
    for customer in msp.customers(12):
        customer.uses("CIXA-MSP", -3)

    done = run("shadow")
    told = run.text("shadow").stdout

    assert set(classes(done.json)) == {"WAITS"}
    assert {line["waits_for"] for line in done.json["lines"]} == {"NEGATIVE_QUANTITY"}
    assert "we would create" not in told
    assert told.count("a run would make none: it waits for a person (NEGATIVE_QUANTITY)") == 10
    assert "  and 2 more that wait, which --json names" in told


def test_where_the_map_never_adopts_nothing_is_ready_to_be_taken_over(msp: Msp, run: Run) -> None:
    msp.mappings["defaults"] = {"adopt": "never"}
    msp.customer("Alder", {"CIXA-MSP": 14}).has(ENDPOINT, 14)

    done = run.text("shadow")

    assert done.exit_code == 0
    assert "Ready to adopt" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith(
        "`adopt: never` in mappings.yaml leaves the lines to people"
    )
    assert "set `adopt: ask`" in done.stdout


def test_a_month_is_compared_with_its_own_last_shadow_run(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    alder.has(ENDPOINT, 12)
    first = run("shadow").json
    imports(run, [row(alder.tenant, "CIXA-MSP", 9)])
    from_file = run("shadow", "2026-10", "--source", "file").json
    msp.next_month()
    alder.uses("CIXA-MSP", 14)
    november = run("shadow").json

    again = run("shadow", "2026-10").json

    assert (from_file["previous_run"], november["previous_run"]) == (None, None)
    assert [each["new"] for each in november["lines"]] == [False]
    assert (again["previous_run"], again["gone"], again["runs_agreed"]) == (first["run"], [], 2)
    assert f"Since run {november['run']}: 0 new differences, 0 gone." in run.text("shadow").stdout
