SELECT id, name, dial, strip, add_prefix, capacity FROM trunk WHERE enabled
