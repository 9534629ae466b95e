"""The rights of a person over all three apps: what is known, erasure, and how long anything is kept (EM-13)."""
