-- Change what calls do not need of an account ($1): the columns that are in the JSON $2.
UPDATE customer c SET (
    web_login, web_password_hash, lock_pin_hash, series_id, serial,
    last_name, first_name, email, address, city, state, postal_code, phone, fax,
    company_name, company_website, did_group_id, run_service, run_autorefill,
    initial_balance_micros, credit_limit_notification_micros, mail_permitted, notification_email,
    campaign_id, create_sip, create_iax, mac_address, invoice_day, vat_basis_points, vat_number,
    traffic_minutes_per_month, target_traffic, confirmed_at
) = (
    SELECT
        r.web_login, r.web_password_hash, r.lock_pin_hash, r.series_id, r.serial,
        r.last_name, r.first_name, r.email, r.address, r.city, r.state, r.postal_code, r.phone,
        r.fax, r.company_name, r.company_website, r.did_group_id, r.run_service, r.run_autorefill,
        r.initial_balance_micros, r.credit_limit_notification_micros, r.mail_permitted,
        r.notification_email, r.campaign_id, r.create_sip, r.create_iax, r.mac_address,
        r.invoice_day, r.vat_basis_points, r.vat_number, r.traffic_minutes_per_month,
        r.target_traffic, r.confirmed_at
    FROM jsonb_populate_record(c, $2) r
)
WHERE c.account_id = $1
