"""Helpers of the PDF parser: what a page draws, what its fonts explain, and what is missing in a file."""
