"""The page Chunks."""
