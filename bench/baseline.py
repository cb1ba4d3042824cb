"""What an MSP writes for itself: one loop, one request after the other: python -m bench.baseline 2026-10.

Plainly written and no strawman: one connection to each vendor kept open, the largest pages, conditions that
choose on the server, each catalog item looked up once, and the time that a 429 names is waited for. It keeps
no state, asks nothing twice, and takes the connector's settings from the environment. It is here to be
measured, not to be used: it trusts every answer.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
import yaml

SOPHOS, CONNECTWISE = requests.Session(), requests.Session()


def ask(session: requests.Session, method: str, url: str, **how: Any) -> Any:
    """Return the JSON of an answer, once the vendor gives one."""
    while True:
        answer = session.request(method, url, timeout=60, **how)
        if answer.status_code != 429:
            answer.raise_for_status()
            return answer.json(parse_float=Decimal)
        time.sleep(int(answer.headers.get("Retry-After", 30)))


def sign_in() -> str:
    """Sign in to both vendors; return where Sophos's data is."""
    env = os.environ
    form = {
        "grant_type": "client_credentials",
        "scope": "token",
        "client_id": env["SOPHOS_CLIENT_ID"],
        "client_secret": env["SOPHOS_CLIENT_SECRET"],
    }
    token = ask(SOPHOS, "POST", env["SOPHOS_AUTH_URL"], data=form)["access_token"]
    SOPHOS.headers["Authorization"] = f"Bearer {token}"
    who = ask(SOPHOS, "GET", f"{env['SOPHOS_API_URL']}/whoami/v1")
    SOPHOS.headers["X-Partner-ID"] = who["id"]
    user = f"{env['CONNECTWISE_COMPANY']}+{env['CONNECTWISE_PUBLIC_KEY']}"
    CONNECTWISE.auth = (user, env["CONNECTWISE_PRIVATE_KEY"])
    CONNECTWISE.headers["clientId"] = env["CONNECTWISE_CLIENT_ID"]
    return str(who["apiHosts"]["global"])


def numbered(url: str, size: int) -> Iterator[Any]:
    """Yield the items of a list of Sophos's with numbered pages."""
    number, last = 1, 1
    while number <= last:
        page = ask(SOPHOS, "GET", url, params={"page": number, "pageSize": size, "pageTotal": "true"})
        yield from page["items"]
        number, last = number + 1, page["pages"]["total"]


def usage_rows(host: str, period: str) -> Iterator[Any]:
    """Yield every row of a month."""
    year, month = period.split("-")
    params = {"pageSize": "1000"}
    while True:
        page = ask(SOPHOS, "GET", f"{host}/partner/v1/billing/usage/{year}/{int(month)}", params=params)
        yield from page["items"]
        if not page["pages"].get("nextKey"):
            return
        params = {"pageSize": "1000", "pageFromKey": page["pages"]["nextKey"]}


def used(host: str, period: str) -> dict[str, Counter[str]]:
    """Return what each tenant used of each product code."""
    known = {tenant["id"] for tenant in numbered(f"{host}/partner/v1/tenants", 100)}
    rows = list(usage_rows(host, period))
    firewalls = numbered(f"{host}/licenses/v1/licenses/firewalls", 50)
    owners = {each["serialNumber"]: (each.get("billingTenant") or {}).get("id") for each in firewalls}
    by_tenant: dict[str, Counter[str]] = {}
    for row in rows:
        tenant = row.get("accountId") or owners.get(row["accountNumberOrSerialNumber"]) or ""
        if tenant in known:
            by_tenant.setdefault(tenant, Counter())[row["productCode"]] += row["billableQuantity"]
    return by_tenant


def one(path: str, conditions: str) -> Any:
    """Return the only record that conditions choose."""
    (record,) = ask(
        CONNECTWISE, "GET", os.environ["CONNECTWISE_URL"] + path, params={"conditions": conditions}
    )
    return record


def bill(period: str) -> int:
    """Bring every mapped tenant's additions to what it used; return how many writes that took."""
    mappings = yaml.load(Path(os.environ["CONNECTOR_MAPPINGS"]).read_bytes(), Loader=yaml.CSafeLoader)
    by_tenant = used(sign_in(), period)
    item_ids = {
        code: one("/procurement/catalog", f'identifier="{product["item"]}"')["id"]
        for code, product in mappings["products"].items()
    }
    writes = 0
    for tenant, mapped in mappings["tenants"].items():
        company = one("/company/companies", f'identifier="{mapped["company"]}"')
        agreement = one("/finance/agreements", f'company/id={company["id"]} and name="{mapped["agreement"]}"')
        url = f"{os.environ['CONNECTWISE_URL']}/finance/agreements/{agreement['id']}/additions"
        lines = {
            line["product"]["id"]: line for line in ask(CONNECTWISE, "GET", url, params={"pageSize": 1000})
        }
        for code, quantity in by_tenant.get(tenant, {}).items():
            line = lines.get(item_ids[code])
            if line is None:
                new = {
                    "product": {"id": item_ids[code]},
                    "quantity": quantity,
                    "billCustomer": "Billable",
                    "effectiveDate": f"{period}-01T00:00:00Z",
                }
                ask(CONNECTWISE, "POST", url, json=new)
            elif line["quantity"] != quantity:
                change = [{"op": "replace", "path": "quantity", "value": quantity}]
                ask(CONNECTWISE, "PATCH", f"{url}/{line['id']}", json=change)
            else:
                continue
            writes += 1
    return writes


if __name__ == "__main__":
    print(f"{bill(sys.argv[1])} writes")  # noqa: T201
