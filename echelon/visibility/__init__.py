"""What is told about a run: progress, measures, pictures, reports. Pure, except for the files it returns."""
