"""Building and showing the book."""
