"""A plan that is made as far as it can be known, and extended on the way: phases as a graph (X12)."""
