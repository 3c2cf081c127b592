-- What the phone with a MAC address ($1) may fetch with its device token ($2: its SHA-256).
SELECT p.account_id, p.user_name, p.provisioning, e.transport
FROM customer c
JOIN account a ON a.id = c.account_id
JOIN phone p ON p.account_id = a.id AND p.technology = 'sip'
JOIN asterisk.ps_endpoints e ON e.id = p.user_name
WHERE c.mac_address = $1 AND p.device_token_sha256 = $2 AND a.status <> 0
