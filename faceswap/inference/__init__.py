"""A trained decoder as a function: crops of any face in, generated faces out."""
