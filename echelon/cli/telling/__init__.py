"""Commands about messages to people: sending what is left, and answering with the token of one."""
