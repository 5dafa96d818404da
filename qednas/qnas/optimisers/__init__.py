"""Minimisers of a cost Hamiltonian: QAOA, VQE, Grover, annealing."""
