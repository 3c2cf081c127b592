"""One AGI script a file: what Asterisk asks for by the path of its URL."""
