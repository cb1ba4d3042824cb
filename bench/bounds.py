"""How long the vendors' limits make a run take at least, worked out from its requests."""

from collections.abc import Mapping

from bench.kinds import CONNECTWISE, SOPHOS

AT_ONCE = 8
A_SECOND = 10
SOPHOS_WINDOWS = ((60, 100), (3600, 1_000))
CONNECTWISE_A_MINUTE = 1_000


def shortest_seconds(requests: Mapping[str, int], latency: float) -> float:
    """Return the seconds below which no program can be, both vendors read side by side.

    Sophos: 10 a second, 100 a minute, 1,000 an hour. ConnectWise: a thousand at once, then a thousand a
    minute, and never more than eight on their way. And token, whoami and the pages of a month are a chain:
    each is asked for with what the one before it gave.
    """
    sophos = sum(requests.get(kind, 0) for kind in SOPHOS)
    connectwise = sum(requests.get(kind, 0) for kind in CONNECTWISE)
    chain = sum(requests.get(kind, 0) for kind in ("token", "whoami", "usage"))
    return max(_sophos(sophos), _connectwise(connectwise), chain * latency, connectwise * latency / AT_ONCE)


def _sophos(requests: int) -> float:
    """Return the seconds of its windows: one that was filled must pass before the next request."""
    waits = [(requests - 1) // allowed * seconds for seconds, allowed in SOPHOS_WINDOWS]
    return float(max((requests - 1) // A_SECOND, *waits, 0))


def _connectwise(requests: int) -> float:
    return max(0.0, (requests - CONNECTWISE_A_MINUTE) * 60 / CONNECTWISE_A_MINUTE)
