"""Chapter 12: encodings, surrogates and quantum optimisers."""
