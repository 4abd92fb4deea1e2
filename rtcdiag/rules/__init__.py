"""Evidence to findings: pure functions, one file a subject."""
