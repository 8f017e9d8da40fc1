"""The words of the field as types. Standard library only; everything else may import from here."""
