"""Stages in order: read both sides, plan, guard, apply, write down. The only place that joins them."""
