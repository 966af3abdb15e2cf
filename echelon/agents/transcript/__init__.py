"""What models are asked and answer: bounded, without secrets, in a form that outlives the library."""
