"""Events of how an organisation judges its own work: parts of the union in `runlog.events`."""
