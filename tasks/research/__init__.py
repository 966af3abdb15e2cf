"""Answering a question from a folder of documents: what `flows/research.py` is made of."""
