"""`python -m connector` and the console script."""

from connector.cli.app import app


def main() -> None:
    """Run the command line and exit with one of contract section 5's codes."""
    app(prog_name="connector")


if __name__ == "__main__":
    main()
