"""What the tests of the daemon share: a seeded business, daemons, channels, faulty wires."""
