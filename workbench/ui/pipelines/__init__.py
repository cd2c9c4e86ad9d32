"""What Sources, Runs and Releases share: pipeline files, running syncs, schedules."""
