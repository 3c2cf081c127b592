DROP TABLE staged_rate
