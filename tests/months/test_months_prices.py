"""Prices that mappings.yaml owns, through the command line: off by default, exact, and never half done."""

import sys
from decimal import Decimal
from typing import Any

import pytest
from months.calling import Processes, Run
from months.msp import ENDPOINT, Customer, Msp

from connector.simulator import Fault, Simulator
from connector.simulator.faults import Kind

RULE = {"cost": "sophos", "price": {"markup": "25%"}}  # Sophos bills 1.40 a unit and lists it at 2.00


def rule(msp: Msp, **pricing: Any) -> None:
    """Say in `defaults` who owns prices."""
    msp.mappings["defaults"] = {"pricing": pricing}


def prices(customer: Customer, item: str = ENDPOINT) -> tuple[object, object]:
    """Return price and cost of a customer's line."""
    line = customer.line(item)
    return line.unit_price, line.unit_cost


def billed(msp: Msp, run: Run, name: str = "Alder", quantity: int = 12, **agreement: Any) -> Customer:
    """Win a customer and bill it before there is any price rule."""
    customer = msp.customer(name, {"CIXA-MSP": quantity}, **agreement)
    run("sync")
    customer.line().unit_price, customer.line().unit_cost = Decimal(3), Decimal(2)
    return customer


def two_decimals(shown: Any) -> Any:
    """Show additions as a ConnectWise that keeps prices to two decimals."""
    for record in shown if isinstance(shown, list) else [shown]:
        if record.get("unitPrice") is not None:
            record["unitPrice"] = round(float(record["unitPrice"]), 2)
    return shown


def test_a_new_line_is_made_with_the_price_and_cost_of_its_rule(msp: Msp, run: Run) -> None:
    rule(msp, **RULE)
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    plan = run("plan")
    done = run("sync")

    (change,) = plan.json["changes"]
    assert change["unit_price"] == {"before": None, "after": "1.75"}
    assert change["unit_cost"] == {"before": None, "after": "1.4"}
    assert change["money"] == {"amount": "21", "currency": "USD"}
    assert plan.json["money"] == [{"amount": "21", "currency": "USD"}]
    (_, body) = done.bodies[0]
    assert (body["unitPrice"], body["unitCost"]) == (1.75, 1.4)
    assert prices(alder) == (Decimal("1.75"), Decimal("1.40"))
    assert done.exit_code == 0
    assert (run("sync").exit_code, run("sync").writes) == (0, [])


@pytest.mark.parametrize("price", [{"markup": "25%"}, "msrp", {"discount": "10%"}])
def test_a_commitment_is_billed_at_what_a_used_unit_sells_at(msp: Msp, run: Run, price: object) -> None:
    rule(msp, cost="sophos", price=price)
    msp.maps("CIXA-MSP", ENDPOINT, minimum=10)
    alder, birch = msp.customer("Alder", {"CIXA-MSP": 4}), msp.customer("Birch", {"CIXA-MSP": 40})

    assert run("sync").exit_code == 0

    assert (alder.bills, birch.bills) == ({ENDPOINT: 10}, {ENDPOINT: 40})
    assert prices(alder)[0] == prices(birch)[0]
    assert prices(alder)[1] == Decimal("0.56")  # what Sophos bills for 4, on 10 units
    assert run("sync").writes == []


def test_only_what_the_rule_owns_is_named(msp: Msp, run: Run) -> None:
    msp.item(ENDPOINT).cost = Decimal("0.77")
    rule(msp, price="msrp")
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    (_, body) = run("sync").bodies[0]

    assert body["unitPrice"] == 2
    assert "unitCost" not in body
    assert prices(alder) == (Decimal(2), Decimal("0.77"))


def test_without_rules_prices_of_people_stay_and_nothing_speaks_of_money(msp: Msp, run: Run) -> None:
    alder = billed(msp, run)
    alder.uses("CIXA-MSP", 14)

    plan = run("plan")
    text = run.text("plan")
    run("sync")

    assert prices(alder) == (3, 2)
    assert plan.json["money"] == []
    assert plan.json["changes"][0]["unit_price"] is plan.json["changes"][0]["money"] is None
    assert "price" not in text.stdout
    assert "Bills change" not in text.stdout


def test_a_right_quantity_at_another_price_is_one_patch_of_the_price(msp: Msp, run: Run) -> None:
    alder = billed(msp, run)
    rule(msp, price="msrp")

    plan = run("plan")
    text = run.text("plan")
    done = run("sync")

    assert plan.changes == [("update", "12", "12")]
    assert plan.json["changes"][0]["money"] == {"amount": "-12", "currency": "USD"}
    assert "12 CIXA-MSP; price 3.00 -> 2.00; bill -12.00 USD" in text.stdout
    assert "Bills change by -12.00 USD." in text.stdout
    assert done.bodies == [("PATCH", [{"op": "replace", "path": "unitPrice", "value": 2}])]
    assert done.json["outcomes"][0]["unit_price"] == {"before": "3", "after": "2"}
    assert prices(alder) == (2, 2)
    assert run("sync").writes == []


def test_a_quantity_and_its_price_are_one_patch(msp: Msp, run: Run) -> None:
    alder = billed(msp, run)
    rule(msp, **RULE)
    alder.uses("CIXA-MSP", 14)

    (write,) = run("sync").bodies

    paths = {operation["path"]: operation["value"] for operation in write[1]}
    assert paths == {"quantity": 14, "unitPrice": 1.75, "unitCost": 1.4}


def test_a_stored_plan_with_prices_is_applied_as_it_was_shown(msp: Msp, run: Run) -> None:
    alder = billed(msp, run)
    rule(msp, price="msrp")
    digest = run("plan").json["digest"]

    assert run("apply", digest).outcomes == [("update", "done")]
    assert prices(alder) == (2, 2)


def test_a_price_that_a_person_moved_since_the_plan_is_another_plan(msp: Msp, run: Run) -> None:
    alder = billed(msp, run)
    rule(msp, price="msrp")
    digest = run("plan").json["digest"]
    alder.line().unit_price = Decimal(9)

    refused = run("apply", digest)

    assert (refused.exit_code, refused.writes) == (4, [])


def test_an_agreement_in_euros_without_a_rate_waits_and_with_one_is_converted(msp: Msp, run: Run) -> None:
    alder = billed(msp, run, currency="EUR")
    rule(msp, cost="sophos")
    alder.uses("CIXA-MSP", 14)

    first = run("sync")
    text = run.text("plan")

    assert (first.exit_code, first.unresolved) == (3, ["CURRENCY_MISMATCH"])
    assert first.json["unresolved"][0]["billed"] is True
    assert first.bodies == [("PATCH", [{"op": "replace", "path": "quantity", "value": 14}])]
    assert prices(alder) == (3, 2)
    assert "Billed, but the price waits until a person decides:\n  ! CURRENCY_MISMATCH  14" in text.stdout
    assert "1 billed, 0 off, 0 unresolved" in text.stdout
    assert "billed to nobody" not in text.stdout

    rule(msp, cost="sophos", rates={"USD": {"EUR": "0.9215"}})
    assert run("sync").exit_code == 0
    assert prices(alder) == (3, Decimal("1.29"))  # 1.40 * 0.9215 = 1.2901


def test_usage_without_a_price_is_billed_and_its_price_left_to_a_person(msp: Msp, run: Run) -> None:
    rule(msp, **RULE)
    alder = msp.customer("Alder")
    alder.uses("CIXA-MSP", 12, wire={"unitPrice": None})

    plan = run("plan")
    done = run("sync")

    assert (plan.exit_code, done.exit_code) == (3, 3)
    assert done.unresolved == ["PRICE_UNKNOWN"]
    assert plan.json["coverage"] == {"rows": 1, "billed": 1, "off": 0, "unresolved": 0}
    assert "unitPrice" not in done.bodies[0][1]
    assert alder.bills == {ENDPOINT: 12}


def test_a_price_of_nothing_or_below_cost_is_written_and_told(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})
    birch = msp.customer("Birch", {"CIXA-MSP": 3})
    alder.entry["pricing"] = {"price": {"fixed": "0"}}
    birch.entry["products"] = {"CIXA-MSP": {"pricing": {"price": {"fixed": "1.39"}}}}

    done = run("sync")

    assert (done.exit_code, done.warnings) == (0, ["PRICE_ZERO", "MARGIN_NEGATIVE"])
    assert (prices(alder)[0], prices(birch)[0]) == (0, Decimal("1.39"))


def test_a_limit_of_money_refuses_the_run_until_a_person_releases_it(msp: Msp, run: Run) -> None:
    alder = billed(msp, run)
    rule(msp, price={"fixed": "3.51"})
    msp.mappings["guards"] = {"money": "6"}

    refused = run("sync")

    assert (refused.exit_code, refused.guards, refused.writes) == (4, ["money"], [])
    assert "bills would change by 6.12 USD (the limit is 6)" in refused.json["guards"][0]["message"]
    assert run("sync", "--force", "money").exit_code == 0
    assert prices(alder)[0] == Decimal("3.51")


def test_a_limit_of_money_counts_without_any_price_rule(msp: Msp, run: Run) -> None:
    alder = billed(msp, run)
    msp.mappings["guards"] = {"money": 5}
    alder.uses("CIXA-MSP", 14)

    assert run("plan").guards == ["money"]
    alder.uses("CIXA-MSP", 13)
    assert run("plan").guards == []


def test_a_limit_of_money_counts_new_lines_at_what_their_item_sells_at(msp: Msp, run: Run) -> None:
    msp.item(ENDPOINT).price = Decimal("9.99")
    msp.mappings["guards"] = {"money": "5000"}
    alder = msp.customer("Alder", {"CIXA-MSP": 501})

    refused = run("sync")

    assert (refused.exit_code, refused.guards, alder.bills) == (4, ["money"], {})
    assert "bills would change by 5004.99 USD" in refused.json["guards"][0]["message"]
    alder.uses("CIXA-MSP", 500)
    assert run("sync").exit_code == 0


def test_an_agreement_in_yen_is_priced_in_whole_yen_and_then_at_rest(msp: Msp, run: Run) -> None:
    rule(msp, **RULE, rates={"USD": {"JPY": "151.37"}})
    alder = msp.customer("Alder", {"CIXA-MSP": 12}, currency="JPY")

    assert run("sync").exit_code == 0
    assert prices(alder) == (265, 212)  # 1.75 and 1.40 at 151.37 are 264.8975 and 211.918
    assert run("sync").writes == []


@pytest.mark.parametrize("again", [0, 1])
def test_who_feeds_a_line_is_known_though_connectwise_never_takes_its_price(
    msp: Msp, run: Run, simulator: Simulator, again: int
) -> None:
    alder = billed(msp, run)
    birch = msp.customer("Birch", {"CIXA-MSP": 30})
    birch.entry["company"] = "Alder"
    rule(msp, price={"fixed": "1.867"}, round="0.001")
    simulator.faults.add(
        Fault("body", vendor="connectwise", path="/additions", times=None, edit=two_decimals)
    )
    assert [run("sync").exit_code for _ in range(1 + again)] == [6] * (1 + again)
    assert alder.bills == {ENDPOINT: 42}

    msp.next_month()
    birch.stops()
    fall = run("sync")

    assert fall.held == ["TENANT_VANISHED"]
    assert alder.bills == {ENDPOINT: 42}


def test_an_item_with_less_included_moves_the_bill_by_what_is_billed(msp: Msp, run: Run) -> None:
    alder = billed(msp, run)
    alder.line().less_included = Decimal(10)
    rule(msp, price="msrp")

    (change,) = run("plan").json["changes"]

    assert change["money"] == {"amount": "-2", "currency": "USD"}


@pytest.mark.parametrize(
    "kind", ["500", "timeout-after", "cut-after", "error-after", "cut-before", "truncated-json"]
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_whatever_fails_the_next_run_ends_with_one_line_at_its_price(
    msp: Msp, run: Run, simulator: Simulator, kind: Kind, method: str
) -> None:
    run.settings["CONNECTOR_TIMEOUT"] = "1"
    alder = billed(msp, run) if method == "PATCH" else msp.customer("Alder", {"CIXA-MSP": 12})
    rule(msp, **RULE)
    simulator.faults.add(Fault(kind, vendor="connectwise", method=method, times=1, delay=0.6))

    first = run("sync")
    if first.exit_code == 0:
        assert prices(alder) == (Decimal("1.75"), Decimal("1.40"))
    second = run("sync")

    assert second.exit_code == 0
    assert alder.bills == {ENDPOINT: 12}
    assert prices(alder) == (Decimal("1.75"), Decimal("1.40"))
    assert run("sync").writes == []


def test_a_price_that_never_arrived_is_not_called_done(msp: Msp, run: Run, simulator: Simulator) -> None:
    run.settings["CONNECTOR_TIMEOUT"] = "1"
    alder = billed(msp, run)
    rule(msp, price="msrp")
    simulator.faults.add(Fault("cut-before", vendor="connectwise", method="PATCH", times=None))

    first = run("sync")

    assert first.exit_code == 6
    assert first.outcomes != [("update", "done")]
    assert prices(alder) == (3, 2)
    simulator.faults.clear()
    assert run("sync").exit_code == 0
    assert prices(alder) == (2, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_run_killed_at_a_write_of_prices_is_finished_by_the_next(
    msp: Msp, run: Run, run_process: Processes, method: str, committed: bool
) -> None:
    alder = billed(msp, run)
    birch = msp.customer("Birch", {"CIXA-MSP": 3})
    rule(msp, **RULE)

    run_process.killed_at(method, 1, committed=committed)
    after = run("sync")

    assert after.exit_code == 0
    assert (alder.bills, birch.bills) == ({ENDPOINT: 12}, {ENDPOINT: 3})
    assert prices(alder) == prices(birch) == (Decimal("1.75"), Decimal("1.40"))
    assert run("sync").writes == []
