"""Which work of a job is kept from earlier runs where nothing that it is made from has changed."""
