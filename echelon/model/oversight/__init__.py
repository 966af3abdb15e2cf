"""What people decide, and what they are asked: gates, answers, readiness (O5, O8). Values only."""
