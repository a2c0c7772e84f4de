"""Weights of other projects, read and renamed."""
