"""What people decide about a run: gates and concerns. Decisions are pure; one file each writes what was decided."""
