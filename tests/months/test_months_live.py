"""Billing from today's licence counts: what is not counted is never written."""

from datetime import date
from decimal import Decimal

import pytest
from months.calling import Result, Run
from months.importing import applied
from months.msp import EMAIL, ENDPOINT, Customer, Msp

from connector.ledger import Ledger
from connector.ledger.live import counted_on
from connector.simulator import Fault, Simulator

LIVE = ("--source", "live")
DEVICE = "DEMO-XGS107-MSP"


def counted(msp: Msp, customer: Customer, code: str, count: int | None, kind: str = "usage") -> None:
    msp.world.license(customer.tenant, code, count, kind=kind)


def recounted(msp: Msp, customer: Customer, **counts: int | None) -> None:
    """Have these licences from now on, and no others."""
    msp.world.licences[customer.tenant] = []
    for code, count in counts.items():
        counted(msp, customer, f"{code}-MSP", count)


def counts_asked(result: Result) -> list[str]:
    paths = [it.path.partition("?")[0] for it in result.requests if it.vendor == "sophos"]
    return [path for path in paths if path == "/licenses/v1/licenses"]


@pytest.fixture
def alder(msp: Msp) -> Customer:
    """Alder has 12 endpoints today."""
    made = msp.customer("Alder")
    counted(msp, made, "CIXA-MSP", 12)
    return made


@pytest.fixture
def birch(msp: Msp) -> Customer:
    """Birch has 7 endpoints today."""
    made = msp.customer("Birch")
    counted(msp, made, "CIXA-MSP", 7)
    return made


def tomorrow(msp: Msp) -> None:
    msp.world.advance(date(msp.world.today.year, msp.world.today.month, msp.world.today.day + 1))


def test_what_is_counted_today_is_billed(msp: Msp, run: Run, alder: Customer, birch: Customer) -> None:
    counted(msp, birch, "CEMA-MSP", 4)
    done = run("sync", *LIVE)
    assert done.exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {ENDPOINT: 7, EMAIL: 4})
    planned = run("plan", *LIVE)
    assert (planned.json["source"], planned.json["period"], planned.changes) == ("live", "2026-10", [])
    assert planned.json["coverage"] == {"rows": 3, "billed": 3, "off": 0, "unresolved": 0}


def test_connectwise_is_read_only_after_everybody_was_counted_which_may_take_hours(
    msp: Msp, run: Run, alder: Customer, birch: Customer
) -> None:
    asked = [request.vendor for request in run("sync", *LIVE).requests]
    assert "sophos" not in asked[asked.index("connectwise") :]


def test_only_monthly_tenants_are_asked_and_once_each(
    msp: Msp, run: Run, alder: Customer, birch: Customer
) -> None:
    msp.world.add_tenant("Dogwood", billing_type="term")
    msp.world.add_tenant("Elm", billing_type="trial")
    assert len(counts_asked(run("plan", *LIVE))) == 2


def test_several_licences_of_one_code_add_up_and_other_sorts_do_not_count(
    msp: Msp, run: Run, alder: Customer
) -> None:
    counted(msp, alder, "CIXA-MSP", 3)
    counted(msp, alder, "CIXA-MSP", 100, kind="term")
    counted(msp, alder, "CEMA-MSP", 50, kind="trial")
    run("sync", *LIVE)
    assert alder.bills == {ENDPOINT: 15}


def test_a_tenant_whose_licences_are_hidden_is_never_zeroed(
    msp: Msp, run: Run, alder: Customer, birch: Customer
) -> None:
    run("sync", *LIVE)
    tomorrow(msp)
    msp.world.licences_hidden.add(alder.tenant)
    recounted(msp, birch, CIXA=9)
    done = run("sync", *LIVE, "--force", "all")
    assert (done.exit_code, done.held, done.unresolved) == (3, ["NOT_COUNTED"], ["NOT_COUNTED"])
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {ENDPOINT: 9})
    (told,) = done.json["unresolved"]
    assert told["tenant_id"] == alder.tenant
    assert "403" in told["message"]


def test_a_shared_line_neither_falls_nor_rises_without_one_of_its_tenants(
    msp: Msp, run: Run, alder: Customer, birch: Customer
) -> None:
    birch.entry["company"] = alder.company.identifier
    run("sync", *LIVE)
    assert alder.bills == {ENDPOINT: 19}
    msp.world.licences_hidden.add(alder.tenant)
    for count in (5, 40):
        tomorrow(msp)
        recounted(msp, birch, CIXA=count)
        assert run("sync", *LIVE).held == ["NOT_COUNTED"]
    assert alder.bills == {ENDPOINT: 19}


def test_even_an_empty_state_does_not_zero_who_is_hidden(
    msp: Msp, run: Run, alder: Customer, birch: Customer
) -> None:
    run("sync", *LIVE)
    (run.state / "connector.db").unlink()
    msp.world.licences_hidden.add(alder.tenant)
    assert run("sync", *LIVE).held == ["NOT_COUNTED"]
    assert alder.bills == {ENDPOINT: 12}


def test_nothing_releases_what_nobody_counted(msp: Msp, run: Run, alder: Customer) -> None:
    refused = run("sync", *LIVE, "--force", "NOT_COUNTED")
    assert refused.exit_code == 2
    assert "nobody has counted" in refused.json["error"]["message"]


def test_a_hidden_tenant_that_is_off_bothers_nobody(
    msp: Msp, run: Run, alder: Customer, birch: Customer
) -> None:
    alder.entry["sync"] = False
    msp.world.licences_hidden.add(alder.tenant)
    done = run("sync", *LIVE)
    assert (done.exit_code, done.unresolved) == (0, [])


def test_a_licence_without_a_count_is_unknown_and_not_nothing(
    msp: Msp, run: Run, alder: Customer, birch: Customer
) -> None:
    counted(msp, alder, "CEMA-MSP", 6)
    run("sync", *LIVE)
    tomorrow(msp)
    recounted(msp, alder, CIXA=None, CEMA=5)
    done = run("sync", *LIVE)
    assert (done.exit_code, done.held) == (3, ["NOT_COUNTED"])
    assert alder.bills == {ENDPOINT: 12, EMAIL: 5}
    (told,) = done.json["unresolved"]
    assert (told["tenant_id"], told["product_code"]) == (alder.tenant, "CIXA-MSP")


def test_one_licence_without_a_count_leaves_the_sum_of_its_code_unknown(
    msp: Msp, run: Run, alder: Customer, birch: Customer
) -> None:
    run("sync", *LIVE)
    tomorrow(msp)
    msp.world.licences[alder.tenant] = []
    counted(msp, alder, "CIXA-MSP", None)
    counted(msp, alder, "CIXA-MSP", 50)
    assert run("sync", *LIVE).held == ["NOT_COUNTED"]
    assert alder.bills == {ENDPOINT: 12}


def test_a_licence_without_a_count_of_what_is_off_bothers_nobody(msp: Msp, run: Run, alder: Customer) -> None:
    msp.maps("CPHISH-MSP", sync=False)
    counted(msp, alder, "CPHISH-MSP", None)
    assert run("sync", *LIVE).exit_code == 0


def test_a_licence_that_is_gone_is_zeroed(msp: Msp, run: Run, alder: Customer) -> None:
    counted(msp, alder, "CEMA-MSP", 6)
    run("sync", *LIVE)
    tomorrow(msp)
    recounted(msp, alder, CIXA=12)
    assert run("sync", *LIVE).exit_code == 0
    assert alder.bills == {ENDPOINT: 12, EMAIL: 0}


def test_lines_that_firewalls_feed_are_left_alone(msp: Msp, run: Run, alder: Customer) -> None:
    msp.maps(DEVICE, item="SOPHOS-XGS107")
    msp.firewall("X1A7ALDER01", DEVICE, tenant=alder.tenant, billing_tenant=alder.tenant)
    alder.adds("CIXA-MSP", 12)
    assert run("sync").exit_code == 0
    msp.world.advance(date(2026, 11, 10))
    counted(msp, alder, DEVICE, 9)
    planned = run("plan", *LIVE)
    assert (planned.json["period"], planned.changes, planned.exit_code) == ("2026-11", [], 0)
    assert planned.warnings == ["LIVE_WITHOUT_FIREWALLS"]
    assert "1 line that" in planned.json["warnings"][0]["message"]
    assert run("sync", *LIVE).exit_code == 0
    assert alder.bills == {ENDPOINT: 12, "SOPHOS-XGS107": 1}


def test_a_firewall_that_is_registered_no_more_is_not_zeroed_because_live_counts_lack_it(
    msp: Msp, run: Run, alder: Customer
) -> None:
    msp.maps("XGS-MSP", item="SOPHOS-XGS107")
    msp.firewall("X1A7ALDER01", "XGS-MSP", billing_tenant=alder.tenant)
    alder.adds("CIXA-MSP", 12)
    assert run("sync").exit_code == 0
    msp.world.advance(date(2026, 11, 10))
    msp.world.firewalls.clear()
    assert run("sync", *LIVE).exit_code == 0
    assert alder.bills == {ENDPOINT: 12, "SOPHOS-XGS107": 1}


def test_a_counting_that_was_broken_off_is_gone_on_with(msp: Msp, run: Run, simulator: Simulator) -> None:
    for customer in msp.customers(6):
        counted(msp, customer, "CIXA-MSP", 10)
    simulator.faults.add(Fault("500", path="licenses$", after=3, times=None))
    broken = run("sync", *LIVE)
    assert (broken.exit_code, broken.writes) == (5, [])
    simulator.faults.clear()
    with Ledger(run.state) as ledger:
        stored = counted_on(ledger, msp.world.today)
    assert set(stored.values()) == {(("CIXA-MSP", "CIXA-MSP MSP Monthly", Decimal(10)),)}
    gone_on = run("sync", *LIVE)
    assert (gone_on.exit_code, len(gone_on.writes)) == (0, 6)
    assert len(counts_asked(gone_on)) == 6 - len(stored) <= 3
    assert counts_asked(run("plan", *LIVE)) == []
    tomorrow(msp)
    assert len(counts_asked(run("plan", *LIVE))) == 6


def test_who_was_refused_is_asked_again_the_same_day(msp: Msp, run: Run, alder: Customer) -> None:
    msp.world.licences_hidden.add(alder.tenant)
    assert run("plan", *LIVE).unresolved == ["NOT_COUNTED"]
    msp.world.licences_hidden.clear()
    assert run("sync", *LIVE).exit_code == 0
    assert alder.bills == {ENDPOINT: 12}


def test_a_month_that_was_billed_from_the_invoice_is_out_of_reach(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("CIXA-MSP", 11)
    run("sync")
    refused = run("sync", *LIVE, "--force", "all")
    assert (refused.exit_code, refused.writes, counts_asked(refused)) == (4, [], [])
    assert "billed from Sophos's billing usage" in refused.json["error"]["message"]
    assert alder.bills == {ENDPOINT: 11}


def test_the_invoice_replaces_live_counts_without_asking(msp: Msp, run: Run, alder: Customer) -> None:
    alder.uses("CIXA-MSP", 11)
    run("sync", *LIVE)
    assert alder.bills == {ENDPOINT: 12}
    done = run("sync")
    assert (done.exit_code, done.guards) == (0, [])
    assert alder.bills == {ENDPOINT: 11}
    assert applied(run) == ("sophos-api", "live")


def test_there_are_no_live_counts_of_another_month(msp: Msp, run: Run, alder: Customer) -> None:
    refused = run("plan", "2026-09", *LIVE)
    assert refused.exit_code == 2
    assert "2026-10" in refused.json["error"]["message"]


def test_a_stored_plan_from_live_counts_is_applied_from_the_same(msp: Msp, run: Run, alder: Customer) -> None:
    digest = run("plan", *LIVE).json["digest"]
    assert run("apply", digest).outcomes == [("create", "done")]
    assert applied(run) == ("live",)


@pytest.mark.parametrize("count", [-1, "many"])
def test_a_count_that_is_none_ends_the_run(
    msp: Msp, run: Run, alder: Customer, simulator: Simulator, count: object
) -> None:
    def spoil(payload: dict[str, list[dict[str, dict[str, dict[str, object]]]]]) -> object:
        payload["licenses"][0]["usage"]["current"]["count"] = count
        return payload

    simulator.faults.add(Fault("body", path="licenses$", edit=spoil))
    done = run("sync", *LIVE)
    assert (done.exit_code, done.writes) == (5, [])
    assert "usage/current/count" in done.json["error"]["message"]


def test_the_words_say_what_is_not_counted_and_offer_no_way_around(
    msp: Msp, run: Run, alder: Customer, birch: Customer
) -> None:
    run("sync", *LIVE)
    tomorrow(msp)
    msp.world.licences_hidden.add(alder.tenant)
    recounted(msp, birch, CIXA=9)
    told = run.text("plan", *LIVE).stdout
    assert "for 2026-10 from live counts (--source live)" in told
    assert "Not counted, so left as it is:" in told
    assert "! NOT_COUNTED" in told
    assert "--force" not in told
    listed = run("tenants").json["tenants"]
    (shown,) = [it for it in listed if alder.tenant in it.values()]
    assert "from the invoice" in str(shown)
