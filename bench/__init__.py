"""Measurements, as counts and ratios of one machine; no test asserts them."""
