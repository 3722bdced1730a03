"""How robust a candidate really is: the worst case over attacks, and what no attack can break."""
