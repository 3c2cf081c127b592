"""A load generator: plays Asterisk for many calls at once and measures what the daemon answers."""
