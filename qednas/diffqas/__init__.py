"""DiffQAS-QT: search, by gradient, the quantum circuit that generates the weights of a classical network."""
