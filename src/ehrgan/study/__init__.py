"""Repeated cross-validation, and what each protocol may look at."""
