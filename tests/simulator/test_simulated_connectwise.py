"""ConnectWise PSA as simulated, reading (connectwise-api.md, section 11, rows 1 to 5, 10 and 11)."""

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.simulator import Simulator, World, generated_world

COMPANIES, AGREEMENTS, CATALOG = "/company/companies", "/finance/agreements", "/procurement/catalog"
REPORT = "/system/reports/AgreementAdditions"


class ConnectWise:
    """The shortest client that can ask anything."""

    def __init__(self, simulator: Simulator) -> None:
        settings = simulator.settings()
        self.url = settings["CONNECTWISE_URL"]
        self.session = requests.Session()
        user = f"{settings['CONNECTWISE_COMPANY']}+{settings['CONNECTWISE_PUBLIC_KEY']}"
        self.session.auth = (user, settings["CONNECTWISE_PRIVATE_KEY"])
        self.session.headers["clientId"] = settings["CONNECTWISE_CLIENT_ID"]

    def get(self, path: str, /, **query: Any) -> requests.Response:
        return self.session.get(self.url + path, params=query, timeout=10)

    def get_forward(self, path: str, /, **query: Any) -> requests.Response:
        headers = {"pagination-type": "forward-only"}
        return self.session.get(self.url + path, params=query, headers=headers, timeout=10)

    def ids(self, path: str, /, **query: Any) -> list[int]:
        answer = self.get(path, pageSize=1000, **query)
        assert answer.status_code == 200, answer.text
        return [record["id"] for record in answer.json()]


@pytest.fixture
def connectwise(simulator: Simulator) -> Iterator[ConnectWise]:
    client = ConnectWise(simulator)
    with client.session:
        yield client


@pytest.fixture
def large() -> Iterator[ConnectWise]:
    with Simulator(generated_world(1100, seed=2)) as simulator:
        client = ConnectWise(simulator)
        with client.session:
            yield client


def published(name: str) -> set[str]:
    path = Path(__file__).with_name("published_shapes.json")
    return set(json.loads(path.read_text(encoding="utf-8"))[name])


def links(answer: requests.Response) -> dict[str, str]:
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers.get("Link", ""))
    return {relation: url for url, relation in found}


# Row 1: hosts and code bases


def test_company_info_needs_no_credentials(simulator: Simulator, world: World) -> None:
    answer = requests.get(f"{simulator.site_url}/login/companyinfo/{world.company_login}", timeout=10).json()
    assert answer["Codebase"] == "v2025_1/"
    assert answer["IsCloud"] == "False"
    assert answer["CompanyID"] == world.company_login


def test_an_unknown_company_gets_null_and_its_case_matters(simulator: Simulator, world: World) -> None:
    for company in ("unknown", world.company_login.upper()):
        answer = requests.get(f"{simulator.url}/login/companyinfo/{company}", timeout=10)
        assert (answer.status_code, answer.text) == (200, "null")


@pytest.mark.parametrize("codebase", ["v4_6_release", "v2025_1"])
def test_both_code_bases_answer(connectwise: ConnectWise, simulator: Simulator, codebase: str) -> None:
    connectwise.url = f"{simulator.url}/{codebase}/apis/3.0"
    assert connectwise.get("/system/info").json()["version"].startswith("v2025.1")


@pytest.mark.parametrize("base", ["/v4_6_release/apis/3.0/apis/3.0", "/nonsense/apis/3.0", "/apis/3.0"])
def test_a_wrong_base_cannot_be_routed(connectwise: ConnectWise, simulator: Simulator, base: str) -> None:
    connectwise.url = simulator.url + base
    answer = connectwise.get("/system/info")
    assert (answer.status_code, answer.text) == (400, "Cannot route. Codebase/company is invalid")


def test_after_an_upgrade_the_old_code_base_is_gone(
    connectwise: ConnectWise, simulator: Simulator, world: World
) -> None:
    world.codebase = "v2025_2/"
    connectwise.url = f"{simulator.url}/v2025_1/apis/3.0"
    assert connectwise.get("/system/info").status_code == 404
    connectwise.url = f"{simulator.url}/v2025_2/apis/3.0"
    assert connectwise.get("/system/info").status_code == 200


def test_routes_ignore_case(connectwise: ConnectWise) -> None:
    assert connectwise.get("/procurement/subCategories").json()[0]["name"] == "Sophos"
    assert connectwise.get("/Company/Companies/Count").json() == {"count": 10}


# Row 2: keys, clientId, rights


@pytest.mark.parametrize("status", [401, 404])
def test_bad_keys_are_refused(connectwise: ConnectWise, world: World, status: int) -> None:
    world.bad_keys_answer = status  # type: ignore[assignment]
    connectwise.session.auth = ("examplemsp+demo-public-0", "wrong")
    answer = connectwise.get("/system/info")
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "message", "errors"}


def test_the_client_id_header_is_needed(connectwise: ConnectWise, world: World) -> None:
    connectwise.session.headers["clientId"] = "11111111-1111-1111-1111-111111111111"
    answer = connectwise.get("/system/info")
    assert answer.status_code == 400
    assert "clientId" in answer.json()["message"]
    world.missing_client_id_answer = 401
    del connectwise.session.headers["clientId"]
    assert connectwise.get("/system/info").status_code == 401


@pytest.mark.parametrize(
    ("right", "path"),
    [
        ("companies", COMPANIES),
        ("agreements", AGREEMENTS),
        ("additions.read", "/finance/agreements/101/additions"),
        ("catalog.read", CATALOG),
        ("reports", REPORT),
    ],
)
def test_each_missing_right_closes_its_routes_alone(
    connectwise: ConnectWise, world: World, right: str, path: str
) -> None:
    world.rights.remove(right)
    refused = connectwise.get(path)
    assert (refused.status_code, refused.json()["code"]) == (403, "Security")
    world.rights.add(right)
    assert connectwise.get(path).status_code == 200


def test_answers_carry_a_request_id(connectwise: ConnectWise) -> None:
    first, second = (connectwise.get("/system/info").headers["x-cw-request-id"] for _ in range(2))
    assert first != second


# Row 3: lists


def test_a_list_is_a_bare_array_of_25(large: ConnectWise) -> None:
    assert len(large.get(COMPANIES).json()) == 25
    assert len(large.get(COMPANIES, pageSize=4000).json()) == 1000
    assert len(large.get(COMPANIES, pageSize=1000, page=2).json()) == 100
    answer = large.get(COMPANIES, pageSize=1000, page=3)
    assert (answer.status_code, answer.json()) == (200, [])


def test_a_page_size_above_1000_can_be_refused(connectwise: ConnectWise, world: World) -> None:
    world.oversize_pages_refused = True
    assert connectwise.get(COMPANIES, pageSize=1001).status_code == 400


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"pageSize": "x"}, {"pageSize": "0"}, {"orderBy": "id up"}, {"orderBy": "types"}]
)
def test_a_malformed_list_query_is_a_400(connectwise: ConnectWise, query: dict[str, str]) -> None:
    assert connectwise.get(COMPANIES, **query).status_code == 400


def test_links_lead_through_the_pages_and_end(connectwise: ConnectWise) -> None:
    first = connectwise.get(COMPANIES, pageSize=4, fields="id,name", orderBy="id asc")
    assert set(links(first)) == {"next", "last"}
    second = connectwise.session.get(links(first)["next"], timeout=10)
    assert set(links(second)) == {"first", "prev", "next", "last"}
    third = connectwise.session.get(links(second)["next"], timeout=10)
    assert set(links(third)) == {"first", "prev"}
    assert [record["id"] for page in (first, second, third) for record in page.json()] == list(
        range(251, 261)
    )
    assert "/v2025_1/" in links(first)["next"], "the server's own view of the code base"
    assert "Link" not in connectwise.get(COMPANIES).headers


def test_forward_only_pages_go_by_id(connectwise: ConnectWise) -> None:
    first = connectwise.get_forward(COMPANIES, pageSize=6, page=9)
    assert [record["id"] for record in first.json()] == list(range(251, 257))
    assert "pageId=256" in links(first)["next"]
    second = connectwise.get_forward(COMPANIES, pageSize=6, pageId=256)
    assert len(second.json()) == 4
    assert second.headers["Link"] == ""
    assert connectwise.get_forward(COMPANIES, pageId=260).json() == []


def test_forward_only_refuses_an_order(connectwise: ConnectWise) -> None:
    assert connectwise.get_forward(COMPANIES, orderBy="id asc").status_code == 400


def test_counts_follow_the_conditions(connectwise: ConnectWise) -> None:
    assert connectwise.get(f"{COMPANIES}/count").json() == {"count": 10}
    answer = connectwise.get(f"{COMPANIES}/count", conditions='identifier like "H*"')
    assert answer.json() == {"count": 1}
    assert connectwise.get("/finance/agreements/101/additions/count").json() == {"count": 2}


def test_lists_are_ordered_as_asked(connectwise: ConnectWise) -> None:
    names = [it["name"] for it in connectwise.get(COMPANIES, orderBy="name desc").json()]
    assert names == sorted(names, key=str.casefold, reverse=True)
    by_company = connectwise.get(AGREEMENTS, orderBy="company/name asc, id desc").json()
    pairs = [(it["company"]["name"].casefold(), -it["id"]) for it in by_company]
    assert pairs == sorted(pairs)


def test_without_an_order_the_list_may_come_shuffled(connectwise: ConnectWise, world: World) -> None:
    world.shuffle_unordered = True
    seen = {tuple(connectwise.ids(COMPANIES)) for _ in range(5)}
    assert len(seen) > 1
    assert {tuple(sorted(ids)) for ids in seen} == {tuple(range(251, 261))}
    assert connectwise.ids(COMPANIES, orderBy="id asc") == list(range(251, 261))


def test_fields_keep_what_is_asked_and_references_keep_their_links(connectwise: ConnectWise) -> None:
    record = connectwise.get(AGREEMENTS, fields="id,company/identifier,TYPE").json()[0]
    assert set(record) == {"id", "company", "type"}
    assert set(record["company"]) == {"identifier", "_info"}
    assert set(record["type"]) == {"id", "name", "_info"}
    assert "_info" in connectwise.get(AGREEMENTS, fields="id,_info").json()[0]
    assert connectwise.get(AGREEMENTS, fields="*").json()[0] == {"id": 101}


# Row 4: conditions on live lists


def test_conditions_reach_every_list(connectwise: ConnectWise, world: World) -> None:
    assert connectwise.ids(COMPANIES, conditions='deletedFlag=False and identifier in ("Fichte","x")') == [
        254
    ]
    assert connectwise.ids(COMPANIES, conditions="id in (251,252)") == [251, 252]
    active = connectwise.ids(AGREEMENTS, conditions="agreementStatus = 'Active' and company/id=252")
    assert active == [102]
    assert connectwise.ids(CATALOG, conditions='identifier = "sophos-mdr"') == [43]
    additions = "/finance/agreements/101/additions"
    assert connectwise.ids(additions, conditions="product/id=49") == [9001]
    assert connectwise.ids(additions, conditions='AdditionStatus Not Like "Cancelled"') == [9001]
    assert connectwise.ids(additions, conditions="cancelledDate = null") == [9001]
    assert connectwise.ids(additions, conditions="cancelledDate < [2026-07-01T00:00:00Z]") == [9002]
    world.rename_company(251, name="Alder Dental")
    since = world.companies[251].trace.updated_at
    assert connectwise.ids(COMPANIES, conditions=f"lastUpdated>=[{since}]") == [251]


def test_child_conditions_look_into_types(connectwise: ConnectWise, world: World) -> None:
    world.companies[252].type_ids = (1, 3)
    assert connectwise.ids(COMPANIES, childConditions='types/name="Vendor"') == [252]
    assert connectwise.get(COMPANIES, childConditions="types/id in (1)").status_code == 400
    world.companies[253].custom_fields = [{"id": 1, "caption": "Region", "type": "Text", "value": "West"}]
    found = connectwise.ids(COMPANIES, customFieldConditions='caption="Region" AND value="west"')
    assert found == [253]


@pytest.mark.parametrize("text", ["nonsense=1", "id=", 'id="x"', "(id=1", "name=Alder", "company/nothing=1"])
def test_a_bad_condition_is_a_400(connectwise: ConnectWise, text: str) -> None:
    answer = connectwise.get(AGREEMENTS, conditions=text)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "errors"}
    assert "\r\n" in answer.text, "errors are indented with CRLF"


def test_a_server_may_refuse_a_condition_that_others_take(connectwise: ConnectWise, world: World) -> None:
    world.refused_conditions = {"product/id"}
    assert connectwise.get("/finance/agreements/101/additions", conditions="product/id=49").status_code == 400


# Row 5: records on the wire


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (COMPANIES, "Company"),
        (f"{COMPANIES}/statuses", "CompanyStatus"),
        (f"{COMPANIES}/types", "CompanyType"),
        (AGREEMENTS, "Agreement"),
        (f"{AGREEMENTS}/types", "AgreementType"),
        ("/finance/agreements/101/additions", "Addition"),
        (CATALOG, "CatalogItem"),
        ("/procurement/categories", "Category"),
        ("/procurement/subcategories", "SubCategory"),
        ("/procurement/types", "ProductType"),
        ("/procurement/unitOfMeasures", "UnitOfMeasure"),
    ],
)
def test_records_use_published_names_only_and_are_found_by_id(
    connectwise: ConnectWise, path: str, name: str
) -> None:
    records = connectwise.get(path).json()
    assert all(set(record) <= published(name) for record in records)
    assert connectwise.get(f"{path}/{records[0]['id']}").json() == records[0]
    assert connectwise.get(f"{path}/count").json() == {"count": len(records)}
    missing = connectwise.get(f"{path}/987654")
    assert (missing.status_code, missing.json()["code"]) == (404, "NotFound")


def test_system_info_has_the_published_fields(connectwise: ConnectWise) -> None:
    assert set(connectwise.get("/system/info").json()) == published("Info")


def test_what_is_null_is_left_out(connectwise: ConnectWise) -> None:
    records = connectwise.get(AGREEMENTS).json()
    assert None not in [value for record in records for value in record.values()]
    endless = [record for record in records if record["noEndingDateFlag"]]
    assert endless
    assert not any("endDate" in record for record in endless)


def test_numbers_have_decimals_and_dates_are_midnight_utc(connectwise: ConnectWise, world: World) -> None:
    half_a_backup = world.agreement_named("Northwind", "Break-fix")
    text = connectwise.get(f"/finance/agreements/{half_a_backup.id}/additions").text
    assert '"quantity":0.50' in text
    assert '"unitPrice":8.00' in text
    assert '"extPrice":4.00' in text
    assert '"effectiveDate":"2025-01-01T00:00:00Z"' in text


def test_derived_amounts_follow_the_quantity(connectwise: ConnectWise, world: World) -> None:
    addition = world.live_additions(agreement_id=102)[0]
    wire = json.loads(connectwise.get("/finance/agreements/102/additions").text, parse_float=Decimal)[0]
    assert wire["quantity"] == addition.quantity == 45
    assert wire["billedQuantity"] == 40
    assert (wire["extPrice"], wire["extCost"], wire["margin"]) == (2025, 540, 1485)
    addition.less_included = Decimal(60)
    assert connectwise.get(f"/finance/agreements/102/additions/{addition.id}").json()["billedQuantity"] == 0


def test_statuses_follow_the_dates(connectwise: ConnectWise, world: World) -> None:
    agreement, addition = world.agreements[102], world.live_additions(agreement_id=102)[0]

    def statuses() -> tuple[str, str, str]:
        line = connectwise.get(f"/finance/agreements/102/additions/{addition.id}").json()
        status = connectwise.get("/finance/agreements/102").json()["agreementStatus"]
        return status, line["agreementStatus"], line["additionStatus"]

    assert statuses() == ("Active", "Active", "Active")
    agreement.end = date(2026, 9, 27)
    addition.cancelled = date(2026, 9, 28)
    assert statuses() == ("Expired", "Expired", "Cancelled")
    agreement.end, agreement.start = None, date(2026, 9, 29)
    addition.cancelled, addition.effective = date(2026, 9, 29), date(2026, 9, 29)
    assert statuses() == ("Inactive", "Inactive", "Inactive")
    agreement.cancelled = True
    assert statuses()[0] == "Cancelled"
    agreement.status = "Active"
    assert statuses()[0] == "Active"


def test_older_releases_have_no_addition_status(connectwise: ConnectWise, world: World) -> None:
    world.addition_status_shown = False
    assert "additionStatus" not in connectwise.get("/finance/agreements/101/additions").json()[0]


def test_the_invoicing_state_is_told(connectwise: ConnectWise) -> None:
    recap = connectwise.get("/finance/agreementrecap/101").json()
    assert recap["lastInvoiceDate"] == "2026-08-31T00:00:00Z"
    assert recap["nextInvoiceDate"] == "2026-09-01T00:00:00Z"
    assert len(connectwise.get("/finance/agreementrecap/").json()) == 12


def test_unknown_routes_and_methods(connectwise: ConnectWise) -> None:
    assert connectwise.get("/finance/additions").status_code == 404
    assert connectwise.session.post(f"{connectwise.url}{COMPANIES}", json={}, timeout=10).status_code == 405


# Row 10: the report


def test_the_report_has_positional_rows(connectwise: ConnectWise, world: World) -> None:
    assert "AgreementAdditions" in [report["name"] for report in connectwise.get("/system/reports").json()]
    answer = connectwise.get(REPORT, columns="AGR_RecID,Addition_RecId,Total_Quantity,Cancelled_Date").json()
    assert [next(iter(column)) for column in answer["column_definitions"]] == [
        "AGR_RecID",
        "Addition_RecId",
        "Total_Quantity",
        "Cancelled_Date",
    ]
    assert answer["row_values"][0] == [101, 9001, 20.0, None]
    assert len(answer["row_values"]) == len(world.additions)
    columns = connectwise.get(f"{REPORT}/columns").json()["column_definitions"]
    assert len(columns) == 25
    assert columns[0]["AGR_Name"]["type"] == "Text"
    assert connectwise.get(f"{REPORT}/count").json() == {"count": len(world.additions)}


def test_the_report_pages_and_filters(large: ConnectWise) -> None:
    assert len(large.get(REPORT).json()["row_values"]) == 25
    assert len(large.get(REPORT, pageSize=1000).json()["row_values"]) == 550
    page = large.get(REPORT, pageSize=500, page=2).json()
    assert len(page["row_values"]) == 50
    rows = large.get(REPORT, conditions="AGR_RecID in (101,103)", columns="AGR_RecID").json()["row_values"]
    assert rows == [[101], [103]]
    assert large.get(REPORT, columns="Nothing").status_code == 400


def test_the_report_can_be_missing(connectwise: ConnectWise, world: World) -> None:
    world.report_available = False
    assert connectwise.get(REPORT).status_code == 404
    names = [report["name"] for report in connectwise.get("/system/reports").json()]
    assert "AgreementAdditions" not in names


# Row 11: merging


def test_a_merged_company_is_only_flagged(connectwise: ConnectWise, world: World) -> None:
    before = connectwise.get(f"{COMPANIES}/251").json()
    world.merge_company(251)
    after = connectwise.get(f"{COMPANIES}/251").json()
    assert after == before | {"deletedFlag": True}
    assert connectwise.ids(COMPANIES, conditions="deletedFlag=false")[0] == 252
    world.merge_company(252, into=253)
    assert connectwise.get("/finance/agreements/102").json()["company"]["id"] == 253


def test_renaming_keeps_the_id(connectwise: ConnectWise, world: World) -> None:
    world.rename_item(41, identifier="EDR", description="EDR per user")
    world.rename_agreement(101, "Security 2026")
    assert connectwise.get(f"{CATALOG}/41").json()["identifier"] == "EDR"
    assert connectwise.get("/finance/agreements/101").json()["name"] == "Security 2026"
