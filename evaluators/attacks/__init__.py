"""Attacks on any candidate, by gradient or by chance."""
