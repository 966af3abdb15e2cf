"""What an audit says of an integration, and how results of a run were judged (O3, O4)."""
