"""One step as layers, each a file: recall → guard → accept → contain → declare → agent."""
