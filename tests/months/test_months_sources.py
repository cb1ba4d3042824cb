"""A month from Sophos's invoice or from a distributor's file: the same plan, and never both at once."""

import pytest
from months.calling import Result, Run
from months.importing import applied, broken, imports, row, stored_rows
from months.msp import ENDPOINT, Msp

NO_SOPHOS = {"SOPHOS_CLIENT_ID": None, "SOPHOS_CLIENT_SECRET": None}


def less_source(result: Result) -> dict[str, object]:
    return {name: value for name, value in result.json.items() if name not in {"source", "digest"}}


def asked_of_sophos(result: Result) -> list[str]:
    return [it.path for it in result.requests if it.vendor == "sophos"]


def test_the_plan_from_a_file_is_the_plan_from_the_api(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 3})
    msp.customer("Birch", {"CIXA-MSP": 7, "NDR-MSP": 1})
    msp.maps("DEMO-XGS107-MSP", item="SOPHOS-XGS107")
    birch = list(msp.world.tenants)[1]
    msp.firewall("X1A7BIRCH01", "DEMO-XGS107-MSP", tenant=birch, billing_tenant=birch)
    from_api = run("plan")
    imports(run, stored_rows(run))
    from_file = run("plan", "--source", "file")
    assert less_source(from_file) == less_source(from_api)
    assert (from_api.json["source"], from_file.json["source"]) == ("sophos-api", "file")
    assert from_api.json["digest"] != from_file.json["digest"]
    assert len(from_file.json["changes"]) == 4


def test_a_month_from_a_file_needs_nothing_of_sophos(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    imports(run, [row(alder.tenant, "CIXA-MSP", 9)])
    planned = run("plan", "--source", "file", **NO_SOPHOS)
    assert planned.exit_code == 0
    assert run("apply", planned.json["digest"], **NO_SOPHOS).outcomes == [("create", "done")]
    assert alder.bills == {ENDPOINT: 9}
    again = run("sync", "--source", "file", **NO_SOPHOS)
    assert (again.exit_code, again.writes, asked_of_sophos(again)) == (0, [], [])


def test_a_plan_from_the_api_cannot_be_applied_without_credentials(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 9})
    digest = run("plan").json["digest"]
    refused = run("apply", digest, **NO_SOPHOS)
    assert refused.exit_code == 2
    assert "SOPHOS_CLIENT_ID" in refused.json["error"]["message"]


def test_without_a_month_it_is_the_newest_one_imported(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    imports(run, [row(alder.tenant, "CIXA-MSP", 9)], period="2026-09")
    imports(run, [row(alder.tenant, "CIXA-MSP", 5)], period="2026-08")
    assert run("plan", "--source", "file").json["period"] == "2026-09"
    assert run("plan", "2026-08", "--source", "file").changes == [("create", None, "5")]


@pytest.mark.parametrize(("period", "told"), [((), "any month"), (("2026-10",), "2026-10")])
def test_a_month_that_was_never_imported_is_not_there(
    msp: Msp, run: Run, period: tuple[str, ...], told: str
) -> None:
    msp.customer("Alder", {"CIXA-MSP": 9})
    refused = run("sync", *period, "--source", "file")
    assert (refused.exit_code, refused.json["error"]["code"]) == (8, "NOT_IMPORTED")
    assert told in refused.json["error"]["message"]
    assert "connector usage import FILE" in refused.json["error"]["next"]


def test_a_source_that_does_not_exist_is_named(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 9})
    refused = run("plan", "--source", "invoice")
    assert refused.exit_code == 2
    assert "api, file, live" in refused.json["error"]["next"]


def test_rows_that_failed_are_unresolved_until_they_are_mended(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    good = row(alder.tenant, "CIXA-MSP", 9)
    imports(run, [good], [broken("CEMA-MSP")])
    planned = run("plan", "--source", "file")
    assert planned.exit_code == 3
    assert planned.json["coverage"] == {"rows": 2, "billed": 1, "off": 0, "unresolved": 1}
    (waiting,) = planned.json["unresolved"]
    assert (waiting["code"], waiting["product_code"], waiting["quantity"]) == (
        "UNMAPPED_TENANT",
        "CEMA-MSP",
        "3",
    )
    assert "row 9" in waiting["message"]
    assert "Unknown & Co" in waiting["message"]
    assert "usage import" in waiting["next"]
    assert run("sync", "--source", "file").exit_code == 3
    assert alder.bills == {ENDPOINT: 9}
    imports(run, [good, row(alder.tenant, "CEMA-MSP", 3)])
    assert run("sync", "--source", "file").exit_code == 0


@pytest.mark.parametrize(
    ("failed", "held"),
    [
        (broken("CIXA-MSP"), "UNMAPPED_TENANT"),
        (broken(None, None, "IMPORT_FAILED"), "IMPORT_FAILED"),
        (broken("CEMA-MSP"), None),
    ],
)
def test_no_line_falls_while_the_missing_units_may_be_in_a_row_that_failed(
    msp: Msp, run: Run, failed: object, held: str | None
) -> None:
    alder, birch = msp.customer("Alder"), msp.customer("Birch")
    imports(run, [row(alder.tenant, "CIXA-MSP", 9), row(birch.tenant, "CIXA-MSP", 4)])
    assert run("sync", "--source", "file").exit_code == 0
    imports(run, [row(alder.tenant, "CIXA-MSP", 6), row(birch.tenant, "CIXA-MSP", 5)], [failed])  # type: ignore[list-item]
    assert run("sync", "--source", "file").exit_code == 3
    assert alder.bills == {ENDPOINT: 9 if held else 6}
    assert birch.bills == {ENDPOINT: 5}
    assert run("plan", "--source", "file").held == ([held] if held else [])
    if held:
        run("sync", "--source", "file", "--force", held)
    assert alder.bills == {ENDPOINT: 6}


def test_a_wrong_year_in_a_file_does_not_bill_a_month_to_come(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    imports(run, [row(alder.tenant, "CIXA-MSP", 99)], period="2027-10")
    assert run("sync", "--source", "file").exit_code == 8
    imports(run, [row(alder.tenant, "CIXA-MSP", 9)])
    assert run("sync", "2027-10", "--source", "file").exit_code == 2
    assert run("sync", "--source", "file").exit_code == 0
    assert alder.bills == {ENDPOINT: 9}


def test_a_month_billed_from_the_api_is_not_billed_from_a_file_as_well(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 9})
    assert run("sync").exit_code == 0
    imports(run, [row(alder.tenant, "CIXA-MSP", 8)])
    refused = run("sync", "--source", "file")
    assert (refused.exit_code, refused.guards, refused.writes) == (4, ["source"], [])
    (said,) = refused.json["guards"]
    assert "--source api" in said["message"]
    assert "connector sync 2026-10 --source file --force source" in said["message"]
    assert run("sync", "--source", "file", "--force", "source").exit_code == 0
    assert alder.bills == {ENDPOINT: 8}
    back = run("sync")
    assert (back.exit_code, back.guards) == (4, ["source"])
    assert applied(run) == ("file", "sophos-api")


def test_another_month_may_come_from_another_source(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 9})
    assert run("sync").exit_code == 0
    imports(run, [row(alder.tenant, "CIXA-MSP", 8)], period="2026-11")
    assert run("sync", "2026-11", "--source", "file").exit_code == 0
    assert alder.bills == {ENDPOINT: 8}


def test_a_plan_that_was_only_looked_at_binds_nobody(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 9})
    run("plan")
    imports(run, [row(alder.tenant, "CIXA-MSP", 8)])
    assert run("sync", "--source", "file").exit_code == 0


def test_a_stored_plan_from_a_file_that_moved_says_how_to_make_it_anew(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder")
    imports(run, [row(alder.tenant, "CIXA-MSP", 8)])
    digest = run("plan", "--source", "file").json["digest"]
    imports(run, [row(alder.tenant, "CIXA-MSP", 7)])
    refused = run("apply", digest)
    assert (refused.exit_code, refused.json["error"]["code"]) == (4, "PLAN_MOVED")
    assert refused.json["error"]["next"].endswith("connector plan 2026-10 --source file")


def test_an_imported_month_without_rows_is_refused_as_empty(msp: Msp, run: Run) -> None:
    msp.customer("Alder")
    imports(run, [])
    refused = run("sync", "--source", "file")
    assert (refused.exit_code, refused.guards) == (4, ["empty_month"])
    assert "--source file" in refused.json["guards"][0]["message"]
