-- Take the next serial of a series ($1). The row stays locked until the transaction ends, so none
-- is given twice and none is left out.
UPDATE series SET next_serial = next_serial + 1 WHERE id = $1
RETURNING lpad((next_serial - 1)::text, greatest(digits, length((next_serial - 1)::text)), '0')
