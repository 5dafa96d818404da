"""Data sets and series: fetched, checked by checksum, prepared."""
