"""Calls CONNECTOR_HEARTBEAT_URL after a good night, so that silence alerts elsewhere."""

from urllib.parse import urlsplit

import requests

from connector.runs.telling.delivery import Timings, silence, within
from connector.vendors.calls import NoSignIn
from connector.vendors.checked import is_loopback

_ATTEMPTS = 2
NAME = "CONNECTOR_HEARTBEAT_URL"


def beat(url: str, timings: Timings) -> str:
    """Ask for the address, twice at most; return "" or why it was in vain, without the address."""
    fault = _fault(url)
    if fault:
        return fault
    silence()
    for _ in range(_ATTEMPTS):
        met = ["it did not answer in time"]

        def ask(met: list[str] = met) -> None:
            met[0] = _asked(url, timings)

        within(timings.answer, [ask])
        if not met[0]:
            return ""
    return f"{NAME} was called in vain: {met[0]}."


def _fault(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or parts.scheme not in {"http", "https"}:
        return f"{NAME} was not called: it is no web address."
    if parts.scheme == "http" and not is_loopback(host):
        return f"{NAME} was not called: it is plain http to another machine; write https://."
    return ""


def _asked(url: str, timings: Timings) -> str:
    proxies = {"no_proxy": "*"} if is_loopback(urlsplit(url).hostname or "") else None
    try:
        with requests.get(
            url,
            timeout=timings.answer,
            allow_redirects=False,
            stream=True,
            auth=NoSignIn(),
            headers={"User-Agent": "connector"},
            proxies=proxies,
        ) as answer:
            return "" if 200 <= answer.status_code < 300 else f"the answer was {answer.status_code}"
    except requests.Timeout:
        return "it did not answer in time"
    except (requests.RequestException, OSError, ValueError):  # their words hold the address
        return "it could not be reached"
