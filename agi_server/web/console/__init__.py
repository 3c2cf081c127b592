"""The operator console: pages made on the server, kept alive by htmx."""
