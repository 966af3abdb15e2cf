"""What a phase states of success: texts, checks, evidence, and who verifies it (D11, O3, D9)."""
