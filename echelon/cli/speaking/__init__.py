"""What an agent that is a command says on the command line."""
