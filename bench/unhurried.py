"""The connector as it is, but for its own pace: python -m bench.unhurried ARGUMENTS OF CONNECTOR.

Where neither latency nor limits are simulated, that pace is all that a wall clock would see. What is left is
what a run costs by itself: requests, processor time and memory.
"""

import runpy

from connector.vendors import connectwise_session, sophos_session
from connector.vendors.pace import Bucket


def main() -> None:
    """Run the connector with room for any number of requests at once."""
    for module, limit, none in (
        (connectwise_session, "CONNECTWISE_BUCKET", Bucket(burst=10**9, each_second=10.0**6)),
        (sophos_session, "SOPHOS_WINDOWS", ()),
    ):
        setattr(module, limit, none)
    runpy.run_module("connector", run_name="__main__")


if __name__ == "__main__":
    main()
