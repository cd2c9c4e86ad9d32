"""Who may come in: the addresses that are served, and the check in front of every request."""
