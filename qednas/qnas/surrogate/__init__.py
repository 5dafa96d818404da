"""Models of the score, from evaluated architectures to a cost Hamiltonian."""
