"""Signed-in requests to Sophos Central Partner: the token, whose it is, and the headers."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from connector.errors import SignInRefused
from connector.vendors.calls import SignIn
from connector.vendors.checked import checked_base_url, checked_key
from connector.vendors.fields import Malformed, Record, as_record, count_in, name_in, text_in
from connector.vendors.pace import SOPHOS_WINDOWS
from connector.vendors.redaction import shown
from connector.vendors.sophos_wire import DIALECT, SIGNING_IN
from connector.vendors.transport import Answer, Call, Pace, Patience, Trace, Transport

_EARLY_SECONDS = 120
_LIFETIME_SECONDS = 3600
_LONGEST_LIFETIME = 86_400
_IN_A_HEADER = re.compile(r"[\x21-\x7e]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class SophosCredentials:
    """What the settings say of Sophos."""

    client_id: str
    client_secret: str
    auth_url: str
    api_url: str


def sophos_pace() -> Pace:
    """Return a pace that keeps below Sophos's limits."""
    return Pace(SOPHOS_WINDOWS)


class SophosSession:
    """Sends calls with a fresh token, always to the configured host, never to one from an answer."""

    def __init__(
        self,
        credentials: SophosCredentials,
        *,
        patience: Patience | None = None,
        trace: Trace | None = None,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._credentials = credentials
        checked_key("SOPHOS_CLIENT_ID", credentials.client_id)
        checked_key("SOPHOS_CLIENT_SECRET", credentials.client_secret)
        self._auth_url = checked_base_url("SOPHOS_AUTH_URL", credentials.auth_url)
        self._api_url = checked_base_url("SOPHOS_API_URL", credentials.api_url)
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0
        self._partner_id = ""
        self._lock = threading.RLock()
        secrets = (credentials.client_secret, credentials.client_id)
        self.transport = Transport(
            DIALECT, secrets, pace=pace or sophos_pace(), patience=patience, trace=trace
        )

    def partner_get(self, call: Call, params: Mapping[str, str]) -> Answer:
        """Return the answer to a call, whose url is a path, made in the partner's name."""
        with self._lock:
            partner_id = self._partner_id or self.whoami()
        return self._signed(replace(call, params=params, headers={"X-Partner-ID": partner_id}))

    def tenant_get(self, call: Call, tenant_id: str) -> Answer:
        """Return the answer to a call made for one customer."""
        with self.transport.failures.reading(call.doing):
            if not _IN_A_HEADER.fullmatch(tenant_id):
                raise Malformed("a tenant's id is odd, so its licences cannot be asked for")
        return self._signed(replace(call, headers={"X-Tenant-ID": tenant_id}))

    def sign_in(self) -> None:
        """Get a token, unless there is a good one."""
        self._current_token()

    def whoami(self) -> str:
        """Return the partner's id; anything but a partner's credentials is SignInRefused."""
        doing = "asking whose credentials these are"
        answer = self._signed(Call(url="/whoami/v1", doing=doing, right="whose they are"))
        with self.transport.failures.reading(doing, answer):
            who = as_record(answer.document, "the answer")
            kind, partner_id = name_in(who, "idType") or "", name_in(who, "id") or ""
            if not kind or not _IN_A_HEADER.fullmatch(partner_id):
                raise Malformed("id or idType is missing or odd")
        if kind != "partner":
            whose = shown(self.transport.redact(kind))
            raise SignInRefused(
                f"The Sophos credentials are those of a {whose}, not of a partner: billing usage "
                "exists for partners only.",
                "Make API credentials in Sophos Central Partner and set SOPHOS_CLIENT_ID and "
                "SOPHOS_CLIENT_SECRET to them.",
                vendor=DIALECT.vendor,
                status=answer.status,
            )
        self._partner_id = partner_id
        return partner_id

    def _signed(self, call: Call) -> Answer:
        call = replace(call, url=f"{self._api_url}{call.url}")
        token = self._current_token()
        answer = self.transport.send(
            replace(call, auth=SignIn(f"Bearer {token}"), handled=call.handled | {401})
        )
        if answer.status != 401:
            return answer
        # Tokens can end early: one new one, and what that one meets is final.
        return self.transport.send(replace(call, auth=SignIn(f"Bearer {self._current_token(token)}")))

    def _current_token(self, spent: str = "") -> str:
        """Return a token that is good for some minutes and is not the spent one."""
        with self._lock:
            if not self._token or self._token == spent or self._clock() >= self._renew_at:
                self._renew()
            return self._token

    def _renew(self) -> None:
        doing = "signing in"
        asked_at = self._clock()
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "scope": "token",
        }
        answer = self.transport.send(
            Call(
                method="POST",
                url=self._auth_url,
                doing=doing,
                body=urlencode(form).encode("ascii"),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                right=SIGNING_IN,
            )
        )
        with self.transport.failures.reading(doing, answer):
            document = as_record(answer.document, "the answer")
            self.transport.redact.hide(*(text for text in _tokens(document) if text))
            self._token = _checked_token(document)
            lifetime = min(count_in(document, "expires_in") or _LIFETIME_SECONDS, _LONGEST_LIFETIME)
        # A lifetime of a few minutes must not mean that every call asks for a new token.
        self._renew_at = asked_at + max(lifetime - _EARLY_SECONDS, lifetime / 2)


def _tokens(document: Record) -> list[str]:
    return [str(document.get(name) or "") for name in ("access_token", "refresh_token")]


def _checked_token(document: Record) -> str:
    """Return the access token of a 200, which Sophos may yet call a failure inside."""
    said = text_in(document, "errorCode")
    if said and said.lower() != "success":
        raise Malformed(f"status 200, yet errorCode is {said}")
    if (text_in(document, "token_type") or "bearer").lower() != "bearer":
        raise Malformed("token_type is not bearer")
    token = document.get("access_token")
    if not isinstance(token, str) or not _IN_A_HEADER.fullmatch(token):
        raise Malformed("access_token is missing or odd")
    return token
