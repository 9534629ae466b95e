"""News from the catalogue for those who saved a product: lower prices, back in stock, about to sell out.

``finding`` looks at the catalogue and writes down what happened, ``telling`` says it and shows it, ``parking`` takes what
cannot be bought out of carts. What counts as news is in ``happenings``, as pure functions.
"""
