"""Diagnostics of one trained candidate: why it is as robust as it is, or only looks so."""
