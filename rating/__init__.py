"""Rating: numbers in, charges out. No I/O, no clock, no logging."""
