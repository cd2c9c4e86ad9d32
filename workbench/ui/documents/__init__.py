"""The Documents page: one document's pages beside their text, and what of it is not in the text."""
