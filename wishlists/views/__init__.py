"""Pages and posts of the lists: they parse, call the verbs and answer, as a page or as JSON."""
