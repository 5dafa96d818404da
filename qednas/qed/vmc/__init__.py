"""Variational Monte Carlo: samples, local energies, gradients and the training of a network."""
