-- Where the rates in force and the staged changes come together.
CREATE TEMP TABLE updated_rate ON COMMIT DROP AS SELECT * FROM staged_rate WITH NO DATA
