"""What support needs, packed into a zip, with names or with aliases."""
