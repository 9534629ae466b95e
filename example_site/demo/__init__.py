"""What turns the example shop into a demo: its data, its mailbox, its pretend bank."""
