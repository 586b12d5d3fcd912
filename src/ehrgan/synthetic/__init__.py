"""Records that nobody lived: made, and measured for fidelity, utility and privacy."""
