INSERT INTO rate_card (name, currency) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
