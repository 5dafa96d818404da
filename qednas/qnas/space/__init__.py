"""Architectures as choices, tables of their scores, and their encoding in qubits."""
