"""Plans and runs -> text and JSON. Returns values and strings, prints nothing."""
