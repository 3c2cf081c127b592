"""`agi-server` and `python -m agi_server`."""

from agi_server.cli.program import main

if __name__ == "__main__":
    main()
