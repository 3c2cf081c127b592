"""FastAGI on asyncio: the listener and the session that routes talk through."""
