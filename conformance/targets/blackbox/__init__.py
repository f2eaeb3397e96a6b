"""A box that shows nothing but its wire: somebody else has configured it, a PIXIT says how, and it runs already."""
