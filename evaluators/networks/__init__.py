"""Topologies in any precision and width."""
