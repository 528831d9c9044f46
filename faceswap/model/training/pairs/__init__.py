"""Training pairs, (warped input, target) of the same crop: one recipe, made on the host or on the device."""
