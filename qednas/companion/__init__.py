"""Result store, profiles, chapters, figures, runs and claims: everything between a number and the book."""
