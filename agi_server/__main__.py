"""`agi-server` and `python -m agi_server`."""

import sys


def main() -> None:
    """Run one command; Ctrl-C is heard while the program is still being loaded, too."""
    try:
        from agi_server.cli.program import main
    except KeyboardInterrupt:
        sys.exit("agi-server: stopped")
    main()


if __name__ == "__main__":
    main()
