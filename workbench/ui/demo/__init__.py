"""The search box for stakeholders, served alone: ``python -m workbench serve-demo``."""
