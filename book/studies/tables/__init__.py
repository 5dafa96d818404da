"""How the committed tables of trained networks are made: make tables."""
