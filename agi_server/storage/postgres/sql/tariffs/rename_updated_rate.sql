ALTER TABLE updated_rate RENAME TO staged_rate
