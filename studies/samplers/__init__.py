"""Optuna's samplers and the first design: which sampler a study has, what it is told, and how it sees the space."""
