"""Ask first: a person decides before a coding agent does what cannot be taken back."""

__all__ = ["__version__"]

__version__ = "0.1.0"
