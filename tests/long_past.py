"""An MSP with more than a year behind it, and every question that may be asked of months that are kept."""

import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

from months.calling import Run
from months.importing import broken, imports, row
from months.msp import Customer, Msp

MONTHS = 17
XGS = "XGS-MSP"
VOLATILE = {"run", "pruned_at"}


def lived(msp: Msp, run: Run, months: int = MONTHS) -> list[str]:
    """Let months pass in which much happens, most of it in the first ones; return them, the oldest first."""
    msp.maps(XGS, item="SOPHOS-FIREWALL")
    alder = msp.customer("Alder", {"CIXA-MSP": 12, "CEMA-MSP": 5})
    birch = msp.customer("Birch", {"CIXA-MSP": 7})
    cedar = msp.customer("Cedar", {"CIXA-MSP": 30})
    elm = msp.customer("Elm", {"CIXA-MSP": 9, "CEMA-MSP": 4})
    stranger = msp.customer("Stranger", {"CIXA-MSP": 2}, mapped=False)
    msp.firewall("X1A7ALDER01", XGS)
    msp.firewall("X1B9NOBODY1", XGS)
    msp.mappings["firewalls"] = {"X1A7ALDER01": alder.tenant}
    passed = [msp.period]
    for month in range(1, months + 1):
        msp.mappings["products"][f"SEEN-{month}"] = {"sync": False}  # another map each month
        happens(month, msp, run, (alder, birch, cedar, elm))
        if month % 4 == 0:
            alder.uses("CIXA-MSP", 12 + month)
        run("plan")
        run("plan", "--tenant", alder.tenant, "--product", "CEMA-MSP")
        run("shadow")
        synced = run("sync", "--force", "all")
        assert synced.exit_code in {0, 3}, synced.stdout
        if month % 5 == 3:
            alder.uses("CEMA-MSP", 5 + month)  # restated: told, not billed
            later = {"CONNECTOR_TODAY": f"{msp.period}-30" if not msp.period.endswith("-02") else None}
            run("usage", "pull", msp.period, **later)
            stranger.uses("CIXA-MSP", month)
            run("usage", "pull", msp.period, **later)
            run("usage", "pull", msp.period, **later)
        if month < months:
            msp.next_month()
            passed.append(msp.period)
    return passed


def happens(month: int, msp: Msp, run: Run, customers: tuple[Customer, ...]) -> None:
    """Let happen what a month is remembered for."""
    alder, birch, cedar, elm = customers
    if month == 2:
        alder.uses("CIXA-MSP", 20)
        mistaken = run("sync").json["run"]
        assert run("runs", "undo", str(mistaken)).outcomes
    if month == 3:
        cedar.entry["sync"] = False  # its line goes on as it is
    if month == 4:
        elm.stops("CEMA-MSP")
        elm.uses("CIXA-MSP", 11)
    if month == 5:
        msp.mappings["firewalls"]["X1A7ALDER01"] = birch.tenant
    if month == 6:
        imports(run, [row(birch.tenant, "CIXA-MSP", 8)], [broken("CIXA-MSP")], msp.period)
        imports(run, [row(birch.tenant, "CIXA-MSP", 9)], period=msp.period)
    if month == 7:  # its last month
        msp.world.stop_using(msp.period, None, XGS)
        msp.world.use(msp.period, None, XGS, 1, serial="X1A7ALDER01")
    if month == 8:
        msp.mappings["defaults"] = {"effective": "next_invoice"}


def answers(run: Run, state: Path, months: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield what every question of these months is answered, with the question."""
    world = run.msp.world
    asked: list[tuple[str, ...]] = [("explain", "--addition", str(each)) for each in sorted(world.additions)]
    asked += [("explain", each) for each in sorted(world.tenants)]
    asked += [("explain", "--serial", each) for each in sorted(world.firewalls)]
    for question in asked:
        for when in ((), *(("--period", each) for each in months)):
            yield ask(run, state, *question, *when)
    for each in months:
        yield ask(run, state, "usage", "show", each)
    for before, after in pairwise(months):
        yield ask(run, state, "usage", "compare", before, after)
    yield ask(run, state, "usage", "totals")
    yield ask(run, state, "firewalls")
    yield ask(run, state, "products")
    yield ask(run, state, "tenants")
    yield ask(run, state, "status")
    with closing(sqlite3.connect(state / "connector.db")) as database:
        kept = database.execute("SELECT id FROM runs WHERE period >= ? ORDER BY id", (months[0],)).fetchall()
        yield "views", [database.execute(f"SELECT * FROM {view}").fetchall() for view in VIEWS]  # noqa: S608  (ours)
    for (number,) in kept:
        yield ask(run, state, "runs", "show", str(number))
    yield ask(run, state, "diagnose", months[-1])
    yield ask(run, state, "diagnose", months[0])
    for each in months:
        sheets = run.folder / f"sheets-{state.name}-{each}"
        ask(run, state, "report", each, "--csv", str(sheets))
        yield f"sheets of {each}", [path.read_text("utf-8-sig") for path in sorted(sheets.iterdir())]
    for each in months:
        yield ask(run, state, "plan", each)
    yield ask(run, state, "plan", "--source", "live", CONNECTOR_TODAY=after_all(months))
    yield ask(run, state, "runs", "undo", str(kept[-1][0]), "--dry-run")


VIEWS = ("v_billing", "v_changes", "v_firewalls")


def after_all(months: list[str]) -> str:
    """Return a day of the month after the last one."""
    year, month = (int(part) for part in months[-1].split("-"))
    return f"{year + month // 12}-{month % 12 + 1:02}-05"


def ask(run: Run, state: Path, *question: str, **settings: str) -> tuple[str, Any]:
    """Ask one question of a state folder."""
    result = run(*question, CONNECTOR_STATE=str(state), **settings)
    return " ".join(question), (result.exit_code, steady(result.json, VOLATILE))


def steady(said: Any, forgotten: Collection[str]) -> Any:
    """Return an answer without what tells one asking from another."""
    if isinstance(said, dict):
        return {name: steady(value, forgotten) for name, value in said.items() if name not in forgotten}
    return [steady(each, forgotten) for each in said] if isinstance(said, list) else said


def copied(run: Run, name: str) -> Path:
    """Return a copy of the state folder."""
    target = run.folder / name
    shutil.copytree(run.state, target)
    return target
