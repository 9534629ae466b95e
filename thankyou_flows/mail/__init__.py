"""The outbox: mail is written as a row with its reason, claimed by workers, asked of the gate, and sent (D8)."""
