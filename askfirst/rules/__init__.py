"""Rule packs as data, and what reads and matches them."""
