"""One experiment a file: they observe and never judge."""
