"""The jobs that this project runs."""
