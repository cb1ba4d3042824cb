"""Signed-in requests to ConnectWise PSA: the base address, the headers, whole lists."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from connector.errors import RequestRefused, SignInRefused
from connector.vendors import connectwise_wire as wire
from connector.vendors.calls import SignIn
from connector.vendors.checked import checked_key
from connector.vendors.connectwise_base import ConnectWiseBase
from connector.vendors.connectwise_lists import Listing, read_all
from connector.vendors.fields import Record, as_record, converted
from connector.vendors.pace import CONNECTWISE_BUCKET
from connector.vendors.transport import Answer, Call, Pace, Patience, Trace, Transport

_Value = TypeVar("_Value")

_ACCEPT = "application/vnd.connectwise.com+json; version=2025.1"
_NOT_FOUND = frozenset({404})


@dataclass(frozen=True, slots=True)
class ConnectWiseCredentials:
    """What the settings say of ConnectWise."""

    url: str
    company: str
    public_key: str
    private_key: str
    client_id: str


def connectwise_pace() -> Pace:
    """Return a pace that keeps below ConnectWise's limit."""
    return Pace(bucket=CONNECTWISE_BUCKET)


class ConnectWiseSession:
    """Sends calls, whose url is a path below the API's base, with sign-in and headers."""

    def __init__(
        self,
        credentials: ConnectWiseCredentials,
        *,
        patience: Patience | None,
        trace: Trace | None,
        pace: Pace | None = None,
    ) -> None:
        company = checked_key("CONNECTWISE_COMPANY", credentials.company)
        public_key = checked_key("CONNECTWISE_PUBLIC_KEY", credentials.public_key)
        private_key = checked_key("CONNECTWISE_PRIVATE_KEY", credentials.private_key)
        client_id = checked_key("CONNECTWISE_CLIENT_ID", credentials.client_id, ascii_only=True)
        self._base = ConnectWiseBase(credentials.url, company)
        # requests would encode as Latin-1, which not every pasted key survives.
        basic = base64.b64encode(f"{company}+{public_key}:{private_key}".encode()).decode("ascii")
        self._sign_in = SignIn(f"Basic {basic}")
        self._headers = {"Accept": _ACCEPT, "clientId": client_id}
        secrets = (basic, private_key, public_key, client_id)
        self.transport = Transport(
            wire.DIALECT,
            secrets,
            pace=pace or connectwise_pace(),
            patience=patience,
            trace=trace,
        )

    def send(self, call: Call) -> Answer:
        """Return the answer to a call."""
        headers = dict(self._headers)
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self._base.url(self.transport)}{call.url}"
        return self.transport.send(replace(call, url=url, headers=headers, auth=self._sign_in))

    def find(self, call: Call) -> Answer | None:
        """Return the answer, or None where the record is not there and the keys are not to blame."""
        answer = self.send(replace(call, handled=_NOT_FOUND))
        if answer.status != 404:
            return answer
        self.system_info()  # the cloud answers 404 to wrong keys, too: those raise SignInRefused here
        return None

    def every(self, listing: Listing, right: str, convert: Callable[[Record], _Value]) -> tuple[_Value, ...]:
        """Return all of a list, converted, by id."""

        def get(path: str, params: Mapping[str, str]) -> Answer:
            answer = self.find(Call(url=path, doing=listing.doing, params=params, right=right))
            if answer is None:
                raise RequestRefused(
                    f"ConnectWise refused {listing.doing}: 404, there is no {path}, and the keys are good.",
                    "Check CONNECTWISE_URL, and that the record still exists.",
                    vendor=wire.DIALECT.vendor,
                    status=404,
                )
            return answer

        rows = read_all(get, listing, self.transport.failures)
        with self.transport.failures.reading(listing.doing):
            return tuple(converted(convert, rows))

    def system_info(self) -> wire.SystemInfo:
        """Return version and zone; a 404 here means that the company or the keys are wrong."""
        doing = "reading /system/info"
        answer = self.send(Call(url="/system/info", doing=doing, handled=_NOT_FOUND))
        if answer.status == 404:
            raise SignInRefused(
                "ConnectWise does not know this company or these keys (404 on /system/info).",
                "Check CONNECTWISE_COMPANY (upper and lower case count), CONNECTWISE_PUBLIC_KEY, "
                "CONNECTWISE_PRIVATE_KEY, CONNECTWISE_CLIENT_ID and CONNECTWISE_URL.",
                vendor=wire.DIALECT.vendor,
                status=404,
                request_id=answer.request_id,
            )
        with self.transport.failures.reading(doing, answer):
            return wire.system_info(as_record(answer.document, "the answer"))
