"""Circuit breakers: in one process, or shared by several through Redis."""
