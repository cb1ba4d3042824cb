"""A year of nights that nobody watches: every month billed once, and people told of what they had to know.

2028 is a leap year. Sophos publishes each month on another day, from the 24th to the 3rd of the next one; it
is down for three nights and ConnectWise for two, the job's machine is off for four, and one month is
restated. What is billed is checked against the world, and what is told against a server that was told it.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from months.calling import Run
from months.msp import ENDPOINT, Customer, Msp
from notify.listening import Hook, http

from connector.simulator import Fault, Simulator

FIRST, NIGHTS = date(2028, 1, 1), 365

PUBLISHED = {
    1: date(2028, 1, 24), 2: date(2028, 2, 29), 3: date(2028, 4, 3), 4: date(2028, 4, 26),
    5: date(2028, 5, 31), 6: date(2028, 6, 25), 7: date(2028, 8, 1), 8: date(2028, 8, 27),
    9: date(2028, 9, 28), 10: date(2028, 11, 2), 11: date(2028, 11, 26), 12: date(2028, 12, 24),
}  # fmt: skip
SOPHOS_DOWN = {date(2028, 5, 31), date(2028, 6, 1), date(2028, 6, 2)}
CONNECTWISE_DOWN = {date(2028, 8, 27), date(2028, 8, 28)}
MACHINE_OFF = {date(2028, 9, 28) + timedelta(days=number) for number in range(4)}
RESTATED = date(2028, 7, 10)


def month(number: int) -> str:
    return f"2028-{number:02}"


def billed_on(number: int) -> date:
    """Return the first night on which a month can be billed."""
    day = max(PUBLISHED[number], date(2028, number, 26))
    while day in SOPHOS_DOWN | CONNECTWISE_DOWN | MACHINE_OFF:
        day += timedelta(days=1)
    return day


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Where people are told."""
    with http() as serving:
        yield serving


@pytest.fixture
def customers(msp: Msp) -> list[Customer]:
    """Two customers, each of which uses another quantity every month; Sophos has published none of it."""
    made = [msp.customer("Alder"), msp.customer("Birch")]
    for number in PUBLISHED:
        for customer, base in zip(made, (10, 40), strict=True):
            msp.world.use(month(number), customer.tenant, "CIXA-MSP", base + number)
        msp.world.unpublish(month(number))
    msp.world.unpublish("2027-12")
    return made


def test_a_year_is_billed_month_by_month_and_told_where_it_had_to_be(
    msp: Msp, run: Run, simulator: Simulator, hook: Hook, customers: list[Customer]
) -> None:
    alder, birch = customers
    codes: Counter[int] = Counter()
    written: dict[date, list[object]] = {}
    msp.world.use("2027-12", alder.tenant, "CIXA-MSP", 10)
    msp.world.use("2027-12", birch.tenant, "CIXA-MSP", 40)
    msp.world.publish("2027-12")

    for day in (FIRST + timedelta(days=number) for number in range(NIGHTS)):
        msp.world.advance(day)
        for number, published in PUBLISHED.items():
            if published == day:
                msp.world.publish(month(number))
        if day == RESTATED:
            msp.world.stop_using(month(6), alder.tenant)
            msp.world.use(month(6), alder.tenant, "CIXA-MSP", 19)
        if day in MACHINE_OFF:
            continue
        down = "sophos" if day in SOPHOS_DOWN else "connectwise" if day in CONNECTWISE_DOWN else None
        if down == "sophos":
            simulator.faults.add(Fault("503", vendor="sophos", times=None))
        elif down == "connectwise":
            simulator.faults.add(Fault("503", vendor="connectwise", times=None))
        night = run("nightly", CONNECTOR_NOTIFY=hook.address("json"))
        simulator.faults.clear()
        simulator.clear_requests()
        codes[night.exit_code] += 1
        if night.writes:
            written[day] = [write.body for write in night.writes]

    # Every month was billed once, on the first night on which it could be, and with its own quantities.
    nights = {billed_on(number): number for number in PUBLISHED}
    assert sorted(written) == [FIRST, *sorted(nights)]
    for day, number in nights.items():
        wanted = [[{"op": "replace", "path": "quantity", "value": base + number}] for base in (10, 40)]
        assert sorted(written[day], key=str) == sorted(wanted, key=str), day
    assert (alder.bills, birch.bills) == ({ENDPOINT: Decimal(22)}, {ENDPOINT: Decimal(52)})

    # People were told three times: of each outage once, and of the month that was restated.
    titles = [posted.json["title"] for posted in hook.posted]
    texts = [posted.json["message"] for posted in hook.posted]
    assert len(titles) == 3, titles
    assert "Sophos" in texts[0]
    assert "ConnectWise" in texts[2]
    assert "RESTATED" in texts[1] or "restated" in texts[1]
    assert "Alder Ltd" in texts[1]
    assert "connector sync 2028-06 --restate" in texts[1]

    # Nights of an outage end with 5, those that know of the restated month with 3, all others with 0.
    assert codes[5] == len(SOPHOS_DOWN) + len(CONNECTWISE_DOWN)
    assert sum(codes.values()) == NIGHTS - len(MACHINE_OFF)
    assert set(codes) == {0, 3, 5}
