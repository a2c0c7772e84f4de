"""Random input that keeps the structure of what it damages, for all that reads."""
