"""Asterisk from the outside: AMI, through panoramisk."""
