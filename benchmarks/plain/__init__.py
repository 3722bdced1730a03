"""The yardstick: what a competent user writes without this project, to measure against.

Optuna's default sampler and `study.optimize`, torchvision transforms and a DataLoader, every member trained from
scratch in every trial, fake quantizers with straight-through estimators, multi-bit layers as M×N convolutions, PGD on
the whole batch for all steps of all restarts, nothing kept from one trial to the next.

Candidates, search space and the bit operations are the project's, so that both sides choose from and count the same;
networks, training recipe, protocol and budget are the same too, and a test holds the values against each other.
"""
