-- Those of some numbers ($1) that are DIDs already.
SELECT number FROM did WHERE number = ANY($1::text[])
