"""The words everything else is written in: pydantic values, enumerations, errors. Imports nothing of ours."""
