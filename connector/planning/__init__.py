"""From usage to a plan: resolve -> plan -> holds -> guards. Pure: no clock, no network, no files."""
