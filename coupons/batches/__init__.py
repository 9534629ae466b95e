"""How many codes are made and inserted at once; who orders them is in ``bulk``, who brings them in ``importing``."""
