"""What counts as near the front; apart from what confirms it, since help texts name it and must be quick."""

NEAR = 0.16
"""Probability of being on the front from which a record off it is confirmed too: what a normal error has of being more
than one standard error in its favour."""
