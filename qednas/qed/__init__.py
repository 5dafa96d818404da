"""QED-NAS: entanglement of small exact systems, its prediction for large ones, and the search it drives."""
