"""What monitoring learns of a command: a text file that is there however the command ended."""

import os
import stat
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from months.calling import Result, Run
from months.msp import EMAIL, ENDPOINT, Customer, Msp
from prometheus_client.parser import text_string_to_metric_families

from connector.simulator import Fault, Simulator

Figures = dict[tuple[str, ...], float]
SUCCESS = ("connector_last_success_timestamp_seconds",)
RUN = ("connector_last_run_timestamp_seconds",)
CODE = ("connector_exit_code",)


@pytest.fixture
def alder(msp: Msp) -> Customer:
    return msp.customer("Alder", {"CIXA-MSP": 12})


def figures(path: Path) -> Figures:
    """Read the file as Prometheus does: name and label values, labels by their names."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(path.read_text(encoding="utf-8"))
        for sample in family.samples
    }


def measured(run: Run, *command: str, **settings: str | None) -> tuple[Result, Figures]:
    result = run("--metrics", "connector.prom", *command, **settings)
    return result, figures(run.folder / "connector.prom")


def of(said: Figures, name: str) -> dict[tuple[str, ...], float]:
    return {key[1:]: value for key, value in said.items() if key[0] == f"connector_{name}"}


def test_a_month_that_is_billed_says_so_in_figures(msp: Msp, run: Run, alder: Customer) -> None:
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    birch.has(ENDPOINT, 5)
    done, said = measured(run, "sync")
    assert said[CODE] == done.exit_code == 3
    assert of(said, "changes") == {("create", "done"): 1, ("adopt", "held"): 1}
    assert of(said, "held") == {("NEEDS_ADOPTION",): 1}
    assert of(said, "unresolved") == {}
    assert said["connector_run_duration_seconds",] > 0
    assert SUCCESS not in said


def test_requests_are_counted_by_vendor_method_and_class(
    run: Run, alder: Customer, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("429", vendor="connectwise", method="GET", times=2))
    done, said = measured(run, "sync")
    names = {"sophos": "Sophos", "connectwise": "ConnectWise"}
    sent = Counter((it.method, f"{it.status // 100}xx", names[it.vendor]) for it in done.requests)
    assert of(said, "api_requests_total") == sent
    assert sent["GET", "4xx", "ConnectWise"] == 2
    assert of(said, "throttled_total") == {("ConnectWise",): 2, ("Sophos",): 0}


def test_what_is_billed_to_nobody_is_counted_and_weighed_in_money(
    msp: Msp, run: Run, alder: Customer
) -> None:
    alder.uses("NDR-MSP", 3, wire={"unitPrice": "4.15", "unitPriceCurrency": "EUR"})
    stranger = msp.world.add_tenant("Stranger Secret Ltd").id
    msp.world.use(msp.period, stranger, "CIXA-MSP", 2, wire={"unitPrice": "0.10", "unitPriceCurrency": "EUR"})
    msp.world.use(msp.period, stranger, "CEMA-MSP", 5, wire={"unitPrice": None})
    _, said = measured(run, "plan")
    assert of(said, "unresolved") == {("UNMAPPED_PRODUCT",): 1, ("UNMAPPED_TENANT",): 2}
    assert of(said, "money_at_stake") == {
        ("UNMAPPED_PRODUCT", "EUR"): 12.45,
        ("UNMAPPED_TENANT", "EUR"): 0.2,
    }
    assert of(said, "changes") == {("create", "planned"): 1}
    text = (run.folder / "connector.prom").read_text(encoding="utf-8")
    assert not any(name in text for name in ("Secret", "Alder", stranger))


def test_the_last_success_outlives_a_run_that_fails_and_a_plan(
    run: Run, alder: Customer, simulator: Simulator
) -> None:
    _, well = measured(run, "sync")
    assert well[CODE] == 0
    assert well[SUCCESS] == well[RUN]
    simulator.faults.add(Fault("500", vendor="connectwise", times=None))
    down, said = measured(run, "sync")
    assert said[CODE] == down.exit_code == 5
    assert int(well[SUCCESS]) - 1 <= said[SUCCESS] <= well[SUCCESS] < said[RUN]
    simulator.faults.clear()
    _, planned = measured(run, "plan")
    assert (planned[CODE], planned[SUCCESS]) == (0, said[SUCCESS])


def test_a_dry_run_is_no_success_of_the_job(run: Run, alder: Customer) -> None:
    dry, said = measured(run, "sync", "--dry-run")
    assert (dry.exit_code, said[CODE]) == (0, 0)
    assert SUCCESS not in said
    _, well = measured(run, "sync")
    assert well[SUCCESS] == well[RUN]
    _, again = measured(run, "sync", "--dry-run")
    assert again[SUCCESS] <= well[SUCCESS] < again[RUN]


def test_a_guard_that_refuses_leaves_its_changes_untried(msp: Msp, run: Run) -> None:
    many = msp.customers(12)
    assert run("sync").exit_code == 0
    msp.next_month()
    for customer in many:
        customer.uses("CIXA-MSP", 1)
    refused, said = measured(run, "sync")
    assert said[CODE] == refused.exit_code == 4
    assert of(said, "changes") == {("update", "not_tried"): 12}


def test_a_command_that_cannot_even_begin_leaves_figures(run: Run, alder: Customer) -> None:
    wrong, said = measured(run, "nightly", CONNECTWISE_COMPANY=None)
    assert said[CODE] == wrong.exit_code == 2
    assert measured(run, "sync", "--bogus")[1][CODE] == 2
    run.mappings_text = "version: 2\n"
    assert measured(run, "sync")[1][CODE] == 2


def test_a_night_with_nothing_due_is_a_success(msp: Msp, run: Run, alder: Customer) -> None:
    measured(run, "nightly")
    msp.world.advance(date(2026, 10, 30))
    _, said = measured(run, "nightly")
    assert (said[CODE], said[SUCCESS]) == (0, said[RUN])
    assert of(said, "changes") == {}


def test_an_apply_counts_what_it_applies(run: Run, alder: Customer) -> None:
    digest = run("plan").json["digest"]
    _, said = measured(run, "apply", digest)
    assert of(said, "changes") == {("create", "done"): 1}


@pytest.mark.parametrize("command", [("nightly", "--explain"), ("sync", "--help"), ("status",), ("usage",)])
def test_a_command_that_does_nothing_leaves_the_figures_alone(
    run: Run, alder: Customer, command: tuple[str, ...]
) -> None:
    measured(run, "sync")
    before = (run.folder / "connector.prom").read_bytes()
    assert run.text("--metrics", "connector.prom", *command).exit_code == 0
    assert (run.folder / "connector.prom").read_bytes() == before


def test_the_file_is_replaced_in_one_step_and_everybody_may_read_it(run: Run, alder: Customer) -> None:
    before = os.umask(0o077)
    try:
        run("plan", CONNECTOR_METRICS="to read/connector.prom")
        run("plan", CONNECTOR_METRICS="to read/connector.prom")
    finally:
        os.umask(before)
    (file,) = (run.folder / "to read").iterdir()
    assert file.name == "connector.prom"
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_figures_that_cannot_be_written_are_one_warning_and_the_month_is_billed(
    run: Run, alder: Customer
) -> None:
    (run.folder / "connector.prom").mkdir()
    done = run.text("--metrics", "connector.prom", "sync")
    assert (done.exit_code, alder.bills) == (0, {ENDPOINT: 12})
    (line,) = done.stderr.splitlines()
    assert line.startswith("Warning: The metrics ")
    assert [each.name for each in run.folder.iterdir() if "part" in each.name] == []


def test_without_being_asked_for_figures_there_are_none(run: Run, alder: Customer) -> None:
    alder.uses("CEMA-MSP", 4)
    assert run("sync").exit_code == 0
    assert alder.bills == {ENDPOINT: 12, EMAIL: 4}
    assert not list(run.folder.rglob("*.prom"))


def test_a_restated_month_is_counted_by_its_code(msp: Msp, run: Run, alder: Customer) -> None:
    assert run("nightly").exit_code == 0
    msp.world.advance(date(2026, 10, 30))
    alder.uses("CIXA-MSP", 14)
    night, said = measured(run, "nightly")
    assert (night.exit_code, of(said, "unresolved")) == (3, {("RESTATED",): 1})
