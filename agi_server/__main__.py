"""`agi-server` and `python -m agi_server`."""

import gc
import sys


def main() -> None:
    """Run one command; Ctrl-C is heard while the program is still being loaded, too."""
    # What is loaded stays: to look for garbage among it, time and again, finds none.
    gc.disable()
    try:
        from agi_server.cli.program import main
    except KeyboardInterrupt:
        sys.exit("agi-server: stopped")
    main()


if __name__ == "__main__":
    main()
