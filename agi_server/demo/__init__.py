"""A business of samples, and calls of every kind played against a daemon that serves it."""
