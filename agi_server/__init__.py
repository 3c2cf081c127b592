"""Call authorization and billing for Asterisk over FastAGI."""
