"""What agents say while they work is put on record, whatever becomes of them (X15, O1)."""
