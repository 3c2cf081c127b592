"""PostgreSQL: the pool, the SQL files and the migrations."""
