"""Follow-ups: what happens plans messages; what has happened since decides whether they are still sent (EM-11, EM-12)."""
