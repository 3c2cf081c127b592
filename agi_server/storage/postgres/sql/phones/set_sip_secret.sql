-- Another secret ($2: its MD5 with user name and realm $3) for a SIP user ($1); registrations made
-- with the old one end.
WITH gone AS (DELETE FROM asterisk.ps_contacts WHERE endpoint = $1)
UPDATE asterisk.ps_auths SET md5_cred = $2, realm = $3 WHERE id = $1
