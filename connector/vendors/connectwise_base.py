"""Where ConnectWise PSA's API is: a full base as given, or worked out from a site's address."""

import re
import threading
from urllib.parse import quote, urlsplit

from connector.errors import SettingsFault, SignInRefused
from connector.vendors.checked import checked_base_url
from connector.vendors.fields import Malformed, as_record, name_in
from connector.vendors.transport import Answer, Call, Transport

_CLOUD_HOSTS = frozenset(
    {
        "na.myconnectwise.net",
        "eu.myconnectwise.net",
        "au.myconnectwise.net",
        "aus.myconnectwise.net",
        "za.myconnectwise.net",
        "staging.connectwisedev.com",
    }
)
_API_PATH = "/apis/3.0"
_CODEBASE = re.compile(r"v[0-9A-Za-z_]+/?", re.ASCII)


class ConnectWiseBase:
    """The API's base address, asked for when it is first needed."""

    def __init__(self, url: str, company: str) -> None:
        self._company = company
        self._lock = threading.Lock()
        self._given = checked_base_url("CONNECTWISE_URL", url)
        self._base = self._given if self._given.lower().endswith(_API_PATH) else ""
        if not self._base and urlsplit(self._given).path:
            raise SettingsFault(
                f"CONNECTWISE_URL is neither a site nor a full base ending in {_API_PATH}.",
                "Set it to a site such as https://na.myconnectwise.net, and the rest is worked out.",
            )

    def url(self, transport: Transport) -> str:
        """Return the base without a final slash; asks the site for its code base once, if it must."""
        with self._lock:
            if not self._base:
                self._base = api_base(self._given, self._codebase(transport))
            return self._base

    def _codebase(self, transport: Transport) -> str:
        # No credentials here: the question is public, and the host may yet turn out to be wrong.
        doing = "asking for the code base"
        url = f"{self._given}/login/companyinfo/{quote(self._company, safe='')}"
        answer = transport.send(Call(url=url, doing=doing, handled=frozenset({404})))
        if answer.status == 404 or answer.document is None:
            raise self._unknown(answer)
        with transport.failures.reading(doing, answer):
            codebase = name_in(as_record(answer.document, "the answer"), "Codebase") or ""
            if not _CODEBASE.fullmatch(codebase):
                raise Malformed("Codebase is no code base")
        return codebase

    def _unknown(self, answer: Answer) -> SignInRefused:
        return SignInRefused(
            "ConnectWise knows no such company at that site.",
            "Check CONNECTWISE_COMPANY (upper and lower case count) and CONNECTWISE_URL.",
            vendor="ConnectWise",
            status=answer.status,
            request_id=answer.request_id,
        )


def api_base(site: str, codebase: str) -> str:
    """Return the API's base for a site and the code base it names.

    Cloud hosts keep their API on `api-` + host; everybody else's is on the host itself.
    """
    parts = urlsplit(site)
    prefix = "api-" if parts.hostname in _CLOUD_HOSTS else ""
    return f"{parts.scheme}://{prefix}{parts.netloc}/{codebase.strip('/')}{_API_PATH}"
