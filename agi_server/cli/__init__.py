"""The command line: one file a noun. `main` is the program, `cli` its commands."""
