-- The names that a customer's fields may refer to.
SELECT ARRAY(SELECT name FROM series ORDER BY name) AS series,
       ARRAY(SELECT name FROM did_group ORDER BY name) AS did_groups,
       ARRAY(SELECT name FROM campaign ORDER BY name) AS campaigns
