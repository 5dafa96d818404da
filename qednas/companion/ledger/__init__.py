"""Claims, the tests that judge them, and the ledger of verdicts."""
