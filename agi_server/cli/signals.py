"""How a command that started servers of its own ends: never without them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_POLITE = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stopped_by_any_signal() -> Iterator[None]:
    """A closed terminal and a polite kill end the command as Ctrl-C does, leaving nothing behind.

    What is ignored, as nohup has it, stays ignored.
    """
    changed = [each for each in _POLITE if signal.getsignal(each) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)
