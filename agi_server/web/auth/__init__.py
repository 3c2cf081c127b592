"""Who works with the console and the API, how they prove it and what they may do."""
