"""Confidence maps and part affinity fields, and poses from them."""
