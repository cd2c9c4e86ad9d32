"""The Documents page: one document's pages beside their text, and what is missing in the text."""
