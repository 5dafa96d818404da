"""The trained spaces: networks that were all trained for chapters 13 and 14, their data and their tables."""
