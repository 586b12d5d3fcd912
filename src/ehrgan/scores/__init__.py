"""Numbers that say how good a method is, and how sure one may be of them."""
