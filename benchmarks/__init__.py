"""What our pages and posts cost beside peers and floors, measured in one run: ``make bench``. Not shipped."""
