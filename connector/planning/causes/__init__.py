"""What needs a person after a night, and what of it people know already."""
