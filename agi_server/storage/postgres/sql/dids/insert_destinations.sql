-- Where new DIDs ($1) ring: priorities ($2), kinds ($3), numbers ($4).
INSERT INTO did_destination (did_id, priority, kind, number)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[])
