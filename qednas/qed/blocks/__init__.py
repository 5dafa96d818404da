"""Blocks of the search space: networks that give the amplitude of a spin configuration, one file each."""
