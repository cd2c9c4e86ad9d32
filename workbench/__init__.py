"""Cut, embed and search documents in several ways, compare them, and export the choice as YAML."""

__version__ = "0.1.0"
