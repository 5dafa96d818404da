"""Chapter 1: laws of entanglement entropy, and what networks of few parameters hold."""
