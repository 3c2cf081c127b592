"""Redis: the fast first check of simultaneous access, and the live view of it."""
