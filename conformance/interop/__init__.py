"""PAIRS: two and more implementations on one segment: scenarios, what is predicted of them, what is observed."""
