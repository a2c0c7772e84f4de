"""Attention maps of tokens, and which tokens to keep."""
