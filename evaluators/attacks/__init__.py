"""Gradient attacks on any candidate."""
