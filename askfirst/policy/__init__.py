"""What needs a person, and on which terms: layers of rules, and the ruling they give on one call."""
