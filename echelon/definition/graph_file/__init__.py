"""Task-graph files: JSON, YAML and WfCommons, read into the same graph, with the line of what is wrong."""
