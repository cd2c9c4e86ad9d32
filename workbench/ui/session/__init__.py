"""What one visitor's session holds: the workspace, the jobs, what was chosen, and the address that says it."""
