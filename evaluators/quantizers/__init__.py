"""Quantizers with their straight-through rules, and the layers that use them."""
