"""The JSON documents of contract section 6: keys, types, and decimals as strings."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from months.calling import Run
from months.msp import ENDPOINT, Msp

from connector.simulator import Fault, Simulator

Shape = Mapping[str, type | tuple[type, ...]]
NONE = type(None)
PLAN: Shape = {
    "schema": str, "period": str, "digest": str, "source": str, "coverage": dict, "changes": list,
    "unresolved": list, "warnings": list, "guards": list, "unchanged": int,
}  # fmt: skip
CHANGE: Shape = {
    "kind": str, "agreement_id": int, "item_id": int, "item": str, "company": str, "addition_id": (int, NONE),
    "before": (str, NONE), "after": str, "effective": (str, NONE), "held": (str, NONE), "from": list,
    "because": str,
}  # fmt: skip
UNRESOLVED: Shape = {
    "code": str, "tenant_id": (str, NONE), "product_code": (str, NONE), "serial": (str, NONE),
    "quantity": str, "message": str,
}  # fmt: skip
RUN: Shape = {
    "schema": str, "run": int, "period": str, "digest": str, "exit_code": int, "outcomes": list,
    "unresolved": list, "warnings": list, "guards": list,
}  # fmt: skip
OUTCOME: Shape = {
    "kind": str, "agreement_id": int, "item_id": int, "addition_id": (int, NONE), "before": (str, NONE),
    "after": str, "outcome": str, "message": (str, NONE),
}  # fmt: skip


def fits(document: Any, shape: Shape) -> None:
    """Make sure that a document has every key of the contract, each of its type."""
    for key, kind in shape.items():
        assert key in document, key
        assert isinstance(document[key], kind), (key, document[key])
        assert not (isinstance(document[key], bool) and kind is int), key


def eventful(msp: Msp, run: Run) -> None:
    """Bring about a month with something of everything in it."""
    alder = msp.customer("Alder", {"CEMA-MSP": 4})
    alder.adds("CIXA-MSP", Decimal("12.50"))
    birch = msp.customer("Birch", {"CIXA-MSP": 7, "CEMA-MSP": 2})
    run("sync")
    alder.stops("CEMA-MSP")
    alder.uses("CIXA-MSP", 13)
    birch.uses("NDR-MSP", 2)
    birch.entry["products"] = {"CEMA-MSP": {"sync": False}}
    cedar = msp.customer("Cedar", {"CIXA-MSP": 3})
    cedar.has(ENDPOINT, 1)
    msp.customer("Dogwood", {"CIXA-MSP": 6})
    msp.customer("Stranger", {"CIXA-MSP": 9}, mapped=False)
    msp.firewall("X1SPARE", "XGS107-MSP")


def test_a_plan_has_every_key_and_type_of_the_contract(msp: Msp, run: Run) -> None:
    eventful(msp, run)

    plan = run("plan").json

    fits(plan, PLAN)
    assert (plan["schema"], plan["period"], plan["source"]) == ("connector.plan/1", "2026-10", "sophos-api")
    assert re.fullmatch("[0-9a-f]{12}", plan["digest"])
    assert plan["coverage"] == {"rows": 8, "billed": 4, "off": 1, "unresolved": 3}
    assert plan["unchanged"] == 1
    assert {change["kind"] for change in plan["changes"]} == {"create", "update", "zero", "adopt"}
    for change in plan["changes"]:
        fits(change, CHANGE)
        assert change["because"]
        for part in change["from"]:
            fits(part, {"tenant_id": str, "product_code": str, "quantity": str})
    for entry in plan["unresolved"]:
        fits(entry, UNRESOLVED)
        assert entry["message"]
    assert {entry["code"] for entry in plan["unresolved"]} == {
        "UNMAPPED_PRODUCT", "UNMAPPED_TENANT", "FIREWALL_UNASSIGNED",
    }  # fmt: skip
    for warning in plan["warnings"]:
        fits(warning, {"code": str, "message": str})
    assert [warning["code"] for warning in plan["warnings"]] == ["OFF_STILL_BILLING"]
    assert plan["guards"] == []


def test_the_changes_of_a_plan_say_what_the_contracts_example_says(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    (change,) = run("plan").json["changes"]

    wanted = {
        "kind": "create",
        "agreement_id": alder.agreement.id,
        "item_id": msp.item(ENDPOINT).id,
        "item": ENDPOINT,
        "company": "Alder",
        "addition_id": None,
        "before": None,
        "after": "12",
        "effective": "2026-10-01",
        "held": None,
        "because": "12 CIXA-MSP",
    }
    assert {key: change[key] for key in wanted} == wanted
    (part,) = change["from"]
    said = {key: part[key] for key in ("tenant_id", "product_code", "quantity")}
    assert said == {"tenant_id": alder.tenant, "product_code": "CIXA-MSP", "quantity": "12"}


def test_a_run_has_every_key_and_type_of_the_contract(msp: Msp, run: Run, simulator: Simulator) -> None:
    eventful(msp, run)
    simulator.faults.add(Fault("409", vendor="connectwise", method="POST"))

    done = run("sync").json

    fits(done, RUN)
    assert (done["schema"], done["exit_code"]) == ("connector.run/1", 6)
    for outcome in done["outcomes"]:
        fits(outcome, OUTCOME)
        assert (outcome["outcome"] == "done") == (outcome["message"] is None)
    assert {outcome["outcome"] for outcome in done["outcomes"]} == {"done", "failed", "held"}
    for entry in done["unresolved"]:
        fits(entry, UNRESOLVED)
    updated = next(outcome for outcome in done["outcomes"] if outcome["kind"] == "update")
    assert (updated["before"], updated["after"]) == ("12.5", "13")


def test_runs_are_numbered_upwards_and_agree_with_their_plan(msp: Msp, run: Run) -> None:
    msp.customer("Alder", {"CIXA-MSP": 12})

    digest = run("plan").json["digest"]
    first, second = run("apply", digest).json, run("sync").json

    assert (first["digest"], second["run"] > first["run"]) == (digest, True)


def test_the_new_addition_is_named_by_its_id(msp: Msp, run: Run) -> None:
    alder = msp.customer("Alder", {"CIXA-MSP": 12})

    (outcome,) = run("sync").json["outcomes"]
    assert outcome["addition_id"] == alder.line().id


def test_a_refused_run_tells_its_guards_and_tries_nothing(msp: Msp, run: Run) -> None:
    customers = msp.customers(10)
    run("sync")
    for customer in customers:
        customer.uses("CIXA-MSP", 1)

    done = run("sync").json

    fits(done, RUN)
    assert {outcome["outcome"] for outcome in done["outcomes"]} == {"not_tried"}
    for guard in done["guards"]:
        fits(guard, {"name": str, "message": str})


def test_an_error_has_every_key_and_type_of_the_contract(msp: Msp, run: Run) -> None:
    ended = run("plan", "2030-01")

    fits(ended.json, {"schema": str, "error": dict, "exit_code": int})
    fits(ended.json["error"], {"code": str, "message": str, "next": str})
    assert (ended.json["schema"], ended.json["exit_code"]) == ("connector.error/1", ended.exit_code)


def test_quantities_have_no_exponent_and_no_trailing_zeros(msp: Msp, run: Run) -> None:
    msp.mappings["guards"] = {"increase_units": 10**9}
    alder = msp.customer("Alder", {"CIXA-MSP": 1_000_000})
    alder.adds("CEMA-MSP", Decimal("0.000100"))

    assert {change["after"] for change in run("plan").json["changes"]} == {"1000000", "0.0001"}


def test_text_answers_tell_the_story_in_order(msp: Msp, run: Run) -> None:
    eventful(msp, run)

    shown = run.text("plan").stdout

    for word in (
        "NEEDS_ADOPTION",
        "UNMAPPED_TENANT",
        "OFF_STILL_BILLING",
        "12.5",
        "13",
        "X1SPARE",
        "NDR-MSP",
    ):
        assert word in shown
    done = run.text("sync")
    assert done.exit_code == 3
    assert "done" in done.stdout
