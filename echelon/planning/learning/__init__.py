"""What earlier runs of a job teach about its next one: priors replaced by what was measured (X10, V6). Pure."""
