"""Parts that keep an index true to its sources: the vector cache."""
