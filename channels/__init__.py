"""The ways to reach a person: one module or folder each."""
