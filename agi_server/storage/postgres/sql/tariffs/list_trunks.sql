SELECT id, name, dial, enabled, strip, add_prefix, capacity FROM trunk ORDER BY name
