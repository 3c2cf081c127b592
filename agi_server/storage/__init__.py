"""Where state lives: PostgreSQL is the truth, Redis the fast first check."""
