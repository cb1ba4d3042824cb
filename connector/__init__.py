"""Bills a month of Sophos usage to ConnectWise PSA agreements, exactly once."""

__version__ = "0.1.0"
