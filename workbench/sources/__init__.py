"""The sources: one plug-in a file, the file's name is the plug-in's name."""
