"""Warps of images and of positions."""
