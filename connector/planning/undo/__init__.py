"""Taking a run back: what it did, what still stands of it, and the plan that goes the other way."""
