"""The implementation checklist, answered for one job from its plan, its definition and its runs on record. Pure."""
