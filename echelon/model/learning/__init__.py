"""What runs of a job on record teach about its next one."""
