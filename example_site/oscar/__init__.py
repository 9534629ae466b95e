"""The other example: a stock django-oscar shop with our three apps in it. Start it with ``make demo-oscar``."""
