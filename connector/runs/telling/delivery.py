"""Hands one message to every address of CONNECTOR_NOTIFY, by apprise, within bounds and without a trace.

An address holds a password or a token, so nothing but its scheme is ever told of it.
"""

import logging
import re
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9_+.-]{0,30})://")
_THREAD = "connector-notify"
_TALKATIVE = ("urllib3.connectionpool", "urllib3.util.retry", "requests_oauthlib.oauth1_session")

Fate = Literal["taken", "refused", "not understood", "late"]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent; `urgent` where somebody has to do something."""

    title: str
    body: str
    urgent: bool = True


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds that one answer, and everything together, may take; and to wait while another night tells."""

    answer: float = 10.0
    whole: float = 45.0
    turn: float = 120.0


def deliver(addresses: Sequence[str], message: Message, timings: Timings) -> tuple[bool, tuple[str, ...]]:
    """Send a message to every address at once; return whether one took it, and of each other a line."""
    silence()
    plugins = _plugins(addresses, timings)
    fates: list[Fate] = ["not understood" if plugin is None else "late" for plugin in plugins]

    def sender(number: int, plugin: "NotifyBase") -> Callable[[], None]:
        def send() -> None:
            fates[number] = _send(plugin, message)

        return send

    within(
        timings.whole,
        [sender(number, plugin) for number, plugin in enumerate(plugins) if plugin is not None],
    )
    met = tuple(fates)  # what a thread still does after that comes too late
    failed = tuple(
        f"Notification {number} of {len(met)}, {scheme_of(address)}: {_TOLD[fate]}."
        for number, (address, fate) in enumerate(zip(addresses, met, strict=True), start=1)
        if fate != "taken"
    )
    return "taken" in met, failed


_TOLD: dict[Fate, str] = {
    "taken": "it took the message",
    "refused": "it could not be reached or did not take the message",
    "not understood": "apprise understands no such address",
    "late": "it did not answer in time",
}


def within(seconds: float, tasks: Sequence[Callable[[], None]]) -> None:
    """Do all tasks at once and wait no longer than that: one that hangs must not hold the job or its end."""
    threads = [threading.Thread(target=task, name=_THREAD, daemon=True) for task in tasks]
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


def scheme_of(address: str) -> str:
    """Return the one part of an address that holds no secret."""
    match = _SCHEME.match(address)
    return match[1].lower() if match else "an address without a scheme"


def silence() -> None:
    """Keep libraries from logging addresses: apprise always, the others while they send for it."""
    logging.getLogger("apprise").disabled = True
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if _not_ours not in logger.filters:
            logger.addFilter(_not_ours)


def _not_ours(_: logging.LogRecord) -> bool:
    return threading.current_thread().name != _THREAD


def _plugins(addresses: Sequence[str], timings: Timings) -> "list[NotifyBase | None]":
    """Return what sends to each address, None where apprise understands it not."""
    from apprise import Apprise, NotifyFormat, OverflowMode  # noqa: PLC0415  slow, and for few runs

    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it loads all its plugins, and some of them old modules
        for address in addresses:
            try:
                plugin = Apprise.instantiate(address, asset=_asset())
            except Exception:  # noqa: BLE001  # a hundred plugins of others, whose words may hold the address
                plugin = None
            if plugin is not None:
                # Whatever an address says itself: plain text, one message, certificates checked.
                plugin.notify_format = NotifyFormat.TEXT
                plugin.overflow_mode = OverflowMode.TRUNCATE
                plugin.verify_certificate = True
                plugin.socket_connect_timeout = plugin.socket_read_timeout = timings.answer
            found.append(plugin)
    return found


def _send(plugin: "NotifyBase", message: Message) -> Fate:
    from apprise import Apprise, NotifyFormat, NotifyType  # noqa: PLC0415

    try:
        sender = Apprise(asset=plugin.asset)
        sender.add(plugin)
        taken = sender.notify(
            title=message.title,
            body=message.body,
            body_format=NotifyFormat.TEXT,
            notify_type=NotifyType.WARNING if message.urgent else NotifyType.SUCCESS,
        )
    except Exception:  # noqa: BLE001  # as above
        return "refused"
    return "taken" if taken else "refused"


def _asset() -> "AppriseAsset":
    """Return how apprise behaves: nothing from or to the disk, no redirects, no templates."""
    from apprise import AppriseAsset  # noqa: PLC0415

    return AppriseAsset(
        app_id="connector",
        app_desc="connector",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        http_redirects=False,
        interpret_escapes=False,
        pgp_autogen=False,
        pem_autogen=False,
        secure_logging=True,
        storage_mode="memory",
        allow_templates=False,
        service_timeout=0,  # our own threads end it; apprise's pool would be waited for at exit
    )
