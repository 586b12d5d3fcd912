"""What is known of the paper: its numbers, its claims, what it leaves open."""
