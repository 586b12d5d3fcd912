"""Anybody's table: read it, compare methods on it, say what was found."""
