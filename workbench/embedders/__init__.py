"""The embedders: one plug-in a file, the file's name is the plug-in's name. Names with ``_`` in front are parts."""
