"""The outside world: both vendors' wire formats on one side, `connector.model` on the other."""
