-- A sum of bigint is numeric in PostgreSQL, which a report by account makes for each of many
-- thousands of groups. Money and milliseconds stay far within bigint; beyond it this is an error.
CREATE AGGREGATE sum_as_bigint(bigint)
    (sfunc = int8pl, stype = bigint, initcond = '0', combinefunc = int8pl, parallel = safe);
