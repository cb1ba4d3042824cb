"""The command line: read arguments, call runs, print a report, exit. One file for each command group."""
