"""How steps are trained: pairs on the host or on the device, one step or many in a call."""
