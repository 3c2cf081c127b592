-- The names that a customer's fields may refer to, and lists be filtered by.
SELECT ARRAY(SELECT name FROM call_plan ORDER BY name) AS plans,
       ARRAY(SELECT name FROM account_group ORDER BY name) AS groups,
       ARRAY(SELECT name FROM series ORDER BY name) AS series,
       ARRAY(SELECT name FROM did_group ORDER BY name) AS did_groups,
       ARRAY(SELECT name FROM campaign ORDER BY name) AS campaigns
