"""What can do work: functions, commands, models. An agent knows its contract and how to perform one call."""
