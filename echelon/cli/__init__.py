"""The command line: one file a command or a small group; each is imported only when it is called."""
