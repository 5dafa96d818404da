"""Ground floor: Hamiltonians, exact, free-fermion and DMRG ground states, entanglement."""
