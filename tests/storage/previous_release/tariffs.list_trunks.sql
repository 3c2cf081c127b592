SELECT id, name, dial, enabled FROM trunk ORDER BY name
