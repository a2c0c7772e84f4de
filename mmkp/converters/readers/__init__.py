"""Readers of weights in formats that torch does not know."""
