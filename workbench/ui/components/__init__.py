"""Drawings that Streamlit has no widget for: chunks on a text, chunks on a page image, a map of points.

Each is a Python file with its JavaScript and CSS beside it. Those are constants; whatever comes from a document
reaches the browser as data and is set as text there, never as markup.
"""
