"""Who does critical work at the same time, or stands by, as a part of a phase (F9)."""
